// Tensors with memory of their own, for constants and results. Always contiguous, row-major.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/view.h"

namespace slipway {

/// Memory aligned to 64 bytes, freed at the end of its life. Fresh memory is not initialised.
class Buffer {
 public:
  Buffer() noexcept = default;
  /// Throws Error(kLimit) where the memory is not to be had.
  explicit Buffer(int64_t bytes);

  [[nodiscard]] std::byte* data() noexcept { return data_.get(); }
  [[nodiscard]] const std::byte* data() const noexcept { return data_.get(); }
  [[nodiscard]] int64_t bytes() const noexcept { return bytes_; }
  /// Gives the memory away; free it with release_aligned().
  [[nodiscard]] std::byte* release() noexcept { return data_.release(); }
  static void release_aligned(std::byte* data) noexcept;

 private:
  struct Free {
    void operator()(std::byte* data) const noexcept { release_aligned(data); }
  };
  std::unique_ptr<std::byte[], Free> data_;
  int64_t bytes_ = 0;
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
