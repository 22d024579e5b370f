// Memory that a caller gives serves one purpose: the engine writes outputs while it still reads inputs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/view.h"
#include "slipway/slipway.h"

namespace slipway {

/// What one view may touch.
struct Extent {
  const void* data = nullptr;
  int64_t bytes = 0;

  /// No sum can overflow, however large the numbers of a caller are.
  [[nodiscard]] bool shares_with(const Extent& other) const noexcept {
    if (bytes <= 0 || other.bytes <= 0) return false;
    const auto begin = reinterpret_cast<uintptr_t>(data);
    const auto other_begin = reinterpret_cast<uintptr_t>(other.data);
    return other_begin - begin < static_cast<uint64_t>(bytes) ||
           begin - other_begin < static_cast<uint64_t>(other.bytes);
  }
};

/// Throws Error(kInput) where the memory of an output, which `extent_of(k)` gives, is also an input's or another
/// output's.
template <typename ExtentOf>
void check_apart(const std::vector<PortInfo>& outputs, std::span<const TensorView> inputs, const ExtentOf& extent_of) {
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const Extent extent = extent_of(k);
    for (const TensorView& input : inputs) {
      if (!extent.shares_with({input.data, input.bytes()})) continue;
      fail(Code::kInput, "the memory given for output ", quote(outputs[k].name), " shares memory with an input");
    }
    for (std::size_t i = 0; i < k; ++i) {
      if (!extent.shares_with(extent_of(i))) continue;
      fail(Code::kInput, "the memory given for output ", quote(outputs[k].name), " shares memory with another output");
    }
  }
}

}  // namespace slipway
