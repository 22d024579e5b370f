// ConstantOfShape on CUDA.
#include <cstring>

#include "base/tensor.h"
#include "ops/move.cuh"

namespace slipway::cuda {

namespace {

/// y = value. A thread writes one unit, and goes on in strides of the grid; bound by the bandwidth of writing.
/// 256 threads, 8 blocks per multiprocessor: enough stores in flight.
/// Checked against the scalar column by tests/ops.
template <typename U>
__global__ void __launch_bounds__(kMoveThreads) fill_kernel(U* __restrict__ y, int64_t count, const U value) {
  start_in_order();
  for (int64_t i = grid_thread(); i < count; i += grid_threads()) y[i] = value;
}

}  // namespace

void constant_of_shape(const OpCall& call) noexcept {
  const MutableView& y = call.outputs[0];
  const auto element = static_cast<std::size_t>(size_of(y.dtype));
  std::byte pattern[16];
  for (std::size_t at = 0; at < sizeof(pattern); at += element) {
    std::memcpy(pattern + at, call.as<Tensor>().view().data, element);
  }
  const int64_t unit = unit_bytes(address_of(y.data) | static_cast<uint64_t>(y.bytes()));
  dispatch_unit(unit, [&]<typename U>() {
    U value;
    std::memcpy(&value, pattern, sizeof(U));
    launch(call, &fill_kernel<U>, move_launch(y.bytes() / unit), y.as<U>(), y.bytes() / unit, value);
  });
}

}  // namespace slipway::cuda
