// Arrays on a CUDA device: those of other libraries, seen through DLPack, and results of the engine.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <optional>
#include <vector>

#include "base/outputs.h"
#include "base/view.h"
#include "cuda/device.h"

namespace slipway {

/// A view of the array in a DLPack capsule, valid as long as the capsule. Throws Error(kInput) where it is not
/// contiguous or of a type that the engine does not have, Error(kUnavailable) where it lies on another device.
[[nodiscard]] TensorView view_of_capsule(const pybind11::object& capsule, int device);

/// A result on a device. Its memory came from the stream's pool, and goes back there.
class DeviceArray final {
 public:
  DeviceArray(std::shared_ptr<CudaDevice> device, void* stream, DType dtype, const Shape& shape);
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray();

  [[nodiscard]] void* data() const noexcept { return data_; }
  [[nodiscard]] DType dtype() const noexcept { return dtype_; }
  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] int device() const noexcept { return device_->number(); }
  /// Copies the array, when it is computed.
  void copy_to_host(void* host) const;
  /// Lets the stream go on only when the array is computed.
  void order_before(void* stream) const;

 private:
  std::shared_ptr<CudaDevice> device_;
  void* stream_;
  DType dtype_;
  Shape shape_;
  void* data_ = nullptr;
};

/// Outputs in given arrays, or in new ones.
class DeviceOutputs final : public Outputs {
 public:
  /// `given`: by output, null where a new array is wanted; may be empty.
  DeviceOutputs(std::shared_ptr<CudaDevice> device, void* stream, std::vector<std::optional<TensorView>> given = {})
      : device_(std::move(device)), stream_(stream), given_(std::move(given)) {}

  void prepare(std::size_t k, DType dtype, const Shape& shape) override;
  [[nodiscard]] void* address(std::size_t k) const noexcept override;
  /// The new arrays in order of the outputs, None where one was given. With the GIL.
  [[nodiscard]] pybind11::list arrays(std::size_t count) const;

 private:
  [[nodiscard]] bool is_given(std::size_t k) const noexcept { return k < given_.size() && given_[k].has_value(); }

  std::shared_ptr<CudaDevice> device_;
  void* stream_;
  std::vector<std::optional<TensorView>> given_;
  std::vector<std::shared_ptr<DeviceArray>> made_;
};

/// A stream as Python passes it: the number behind a cudaStream_t, 0 for the default one.
[[nodiscard]] inline void* stream_of(uintptr_t number) noexcept { return reinterpret_cast<void*>(number); }

}  // namespace slipway
