// Cast on CUDA.
#include "ops/convert.h"
#include "ops/move.cuh"
#include "ops/types.h"

namespace slipway::cuda {

namespace {

/// y = x in the type `to`. A thread takes one element, and goes on in strides of the grid.
/// The branch by `to` is the same for all threads; bound by bandwidth: 12 bytes from float32 to int64.
/// 256 threads, 8 blocks per multiprocessor: enough loads in flight.
/// Checked against the scalar column by tests/ops.
template <typename From>
__global__ void __launch_bounds__(kMoveThreads) cast_kernel(const void* x, void* y, int64_t count, DType to) {
  start_in_order();
  // A bool is read as a byte, so that any non-zero one is true.
  using Stored = std::conditional_t<std::is_same_v<From, bool>, uint8_t, From>;
  for (int64_t i = grid_thread(); i < count; i += grid_threads()) {
    const Stored stored = static_cast<const Stored*>(x)[i];
    const auto value = static_cast<From>(stored);
    switch (to) {
      case DType::kFloat32:
        static_cast<float*>(y)[i] = convert<float>(value);
        break;
      case DType::kFloat64:
        static_cast<double*>(y)[i] = convert<double>(value);
        break;
      case DType::kInt64:
        static_cast<int64_t*>(y)[i] = convert<int64_t>(value);
        break;
      case DType::kInt32:
        static_cast<int32_t*>(y)[i] = convert<int32_t>(value);
        break;
      case DType::kInt8:
        static_cast<int8_t*>(y)[i] = convert<int8_t>(value);
        break;
      case DType::kUint8:
        static_cast<uint8_t*>(y)[i] = convert<uint8_t>(value);
        break;
      default:
        static_cast<bool*>(y)[i] = convert<bool>(value);
        break;
    }
  }
}

}  // namespace

void cast(const OpCall& call) noexcept {
  const int64_t count = call.outputs[0].shape.count();
  dispatch(AnyType{}, call.inputs[0].dtype, [&]<typename From>() {
    launch(call, &cast_kernel<From>, move_launch(count), call.inputs[0].data, call.outputs[0].data, count,
           call.outputs[0].dtype);
  });
}

}  // namespace slipway::cuda
