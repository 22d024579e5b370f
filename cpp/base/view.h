// Views of tensors: what kernels read and write. Contiguous, row-major, no owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/dtype.h"
#include "base/shape.h"

namespace slipway {

/// What a kernel reads. An optional input that is absent has a null `data` and type kNone.
struct TensorView {
  const void* data = nullptr;
  DType dtype = DType::kNone;
  Shape shape;

  [[nodiscard]] bool is_present() const noexcept { return dtype != DType::kNone; }
  template <typename T>
  [[nodiscard]] const T* as() const noexcept {
    return static_cast<const T*>(data);
  }
  template <typename T>
  [[nodiscard]] std::span<const T> span() const noexcept {
    return {as<T>(), static_cast<std::size_t>(shape.count())};
  }
  [[nodiscard]] int64_t bytes() const noexcept { return shape.count() * size_of(dtype); }
};

/// What a kernel writes. An optional output that nobody wants has type kNone.
struct MutableView {
  void* data = nullptr;
  DType dtype = DType::kNone;
  Shape shape;

  [[nodiscard]] bool is_present() const noexcept { return dtype != DType::kNone; }
  template <typename T>
  [[nodiscard]] T* as() const noexcept {
    return static_cast<T*>(data);
  }
  [[nodiscard]] int64_t bytes() const noexcept { return shape.count() * size_of(dtype); }
};

}  // namespace slipway
