// Tensors with memory of their own, for constants and results. Always contiguous, row-major.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/view.h"

namespace slipway {

class MemoryBudget;

/// Frees memory aligned to 64 bytes, and gives it back to the budget that it was counted against (null: to none).
struct CountedFree {
  std::shared_ptr<MemoryBudget> budget = nullptr;
  int64_t bytes = 0;

  void operator()(std::byte* data) const noexcept;
  void stop_counting() const noexcept;
};

/// Memory aligned to 64 bytes, freed at the end of its life. Fresh memory is not initialised. Counts against the budget
/// in whose scope it was made.
class Buffer {
 public:
  Buffer() noexcept = default;
  /// Throws Error(kLimit) where the memory is not to be had, or is more than the budget allows.
  explicit Buffer(int64_t bytes);

  [[nodiscard]] std::byte* data() noexcept { return data_.get(); }
  [[nodiscard]] const std::byte* data() const noexcept { return data_.get(); }
  [[nodiscard]] int64_t bytes() const noexcept { return data_.get_deleter().bytes; }
  /// Gives the memory away, which counts no longer; free it with release_aligned().
  [[nodiscard]] std::byte* release() noexcept;
  static void release_aligned(std::byte* data) noexcept;

 private:
  std::unique_ptr<std::byte[], CountedFree> data_;
};

/// A tensor with its own memory.
class Tensor {
 public:
  Tensor() noexcept = default;
  Tensor(DType dtype, const Shape& shape)
      : dtype_(dtype), shape_(shape), buffer_(shape.checked_bytes(size_of(dtype))) {}

  [[nodiscard]] DType dtype() const noexcept { return dtype_; }
  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] int64_t bytes() const noexcept { return shape_.count() * size_of(dtype_); }
  [[nodiscard]] TensorView view() const noexcept { return {buffer_.data(), dtype_, shape_}; }
  [[nodiscard]] MutableView mutable_view() noexcept { return {buffer_.data(), dtype_, shape_}; }
  template <typename T>
  [[nodiscard]] T* as() noexcept {
    return reinterpret_cast<T*>(buffer_.data());
  }
  template <typename T>
  [[nodiscard]] const T* as() const noexcept {
    return reinterpret_cast<const T*>(buffer_.data());
  }
  /// Gives the memory away (see Buffer::release); the tensor must not be used afterwards.
  [[nodiscard]] std::byte* release() noexcept { return buffer_.release(); }

 private:
  DType dtype_ = DType::kNone;
  Shape shape_;
  Buffer buffer_;
};

}  // namespace slipway
