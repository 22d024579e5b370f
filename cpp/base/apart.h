// Memory that a caller gives is aligned, and serves one purpose: the engine writes outputs while it still reads inputs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/view.h"

namespace slipway {

/// What an output may write, nothing where `data` is null; `name` is the output's.
struct GivenMemory {
  const void* data = nullptr;
  int64_t bytes = 0;
  std::string_view name;

  /// No sum can overflow, however large the numbers of a caller are.
  [[nodiscard]] bool shares_with(const void* other, int64_t other_bytes) const noexcept {
    if (data == nullptr || other == nullptr || bytes <= 0 || other_bytes <= 0) return false;
    const auto begin = reinterpret_cast<uintptr_t>(data);
    const auto other_begin = reinterpret_cast<uintptr_t>(other);
    return other_begin - begin < static_cast<uint64_t>(bytes) ||
           begin - other_begin < static_cast<uint64_t>(other_bytes);
  }
};

/// Bytes of a view as a caller describes it: 0 where a size is not above zero, and where they cannot be counted, which
/// is refused by itself.
[[nodiscard]] constexpr int64_t described_bytes(DType dtype, const Shape& shape) noexcept {
  int64_t bytes = size_of(dtype);
  for (const int64_t size : shape.sizes()) {
    if (size <= 0) return 0;
    if (__builtin_mul_overflow(bytes, size, &bytes)) return 0;
  }
  return bytes;
}

/// Throws Error(kInput) where memory of a caller does not begin at a multiple of its elements' size.
inline void check_aligned(const void* data, DType dtype, const Shape& shape, std::string_view kind,
                          std::string_view name) {
  const auto size = static_cast<uintptr_t>(std::max<int64_t>(size_of(dtype), 1));
  if ((reinterpret_cast<uintptr_t>(data) & (size - 1)) == 0 || described_bytes(dtype, shape) == 0) return;
  fail(Code::kInput, "the memory of ", kind, " ", quote(name), " is not aligned to its elements of ", size, " bytes");
}

/// Throws Error(kInput) where memory_of(k) of one of `count` outputs is also an input's or another output's.
template <typename MemoryOf>
void check_apart(std::size_t count, std::span<const TensorView> inputs, const MemoryOf& memory_of) {
  for (std::size_t k = 0; k < count; ++k) {
    const GivenMemory memory = memory_of(k);
    for (const TensorView& input : inputs) {
      if (!memory.shares_with(input.data, described_bytes(input.dtype, input.shape))) continue;
      fail(Code::kInput, "the memory given for output ", quote(memory.name), " shares memory with an input");
    }
    for (std::size_t i = 0; i < k; ++i) {
      const GivenMemory other = memory_of(i);
      if (!memory.shares_with(other.data, other.bytes)) continue;
      fail(Code::kInput, "the memory given for output ", quote(memory.name), " shares memory with another output");
    }
  }
}

}  // namespace slipway
