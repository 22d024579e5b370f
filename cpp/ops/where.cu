// Where on CUDA.
#include "ops/move.cuh"

namespace slipway::cuda {

namespace {

/// y = a where condition, b elsewhere, all broadcast along the walk. A thread takes one element, and goes on in strides
/// of the grid. Reads one of a and b only; at most 9 bytes per element of 4 bytes, and bound by that bandwidth where
/// the walk has few axes. 256 threads, 8 blocks per multiprocessor: enough loads in flight. Checked against the scalar
/// column by tests/ops.
template <typename U>
__global__ void __launch_bounds__(kMoveThreads)
    where_kernel(const __grid_constant__ DeviceWalk<3> walk, const uint8_t* __restrict__ condition,
                 const U* __restrict__ a, const U* __restrict__ b, U* __restrict__ y) {
  start_in_order();
  for (int64_t i = grid_thread(); i < walk.count; i += grid_threads()) {
    const Offsets<3> offsets = walk.locate(i);
    y[i] = condition[offsets.at[0]] != 0 ? a[offsets.at[1]] : b[offsets.at[2]];
  }
}

}  // namespace

void where(const OpCall& call) noexcept {
  const auto& walk = call.as<Walk<3>>();
  if (walk.count() == 0) return;
  dispatch_element(call.inputs[1].dtype, [&]<typename U>() {
    launch(call, &where_kernel<U>, move_launch(walk.count()), DeviceWalk<3>(walk), call.inputs[0].as<uint8_t>(),
           call.inputs[1].as<U>(), call.inputs[2].as<U>(), call.outputs[0].as<U>());
  });
}

}  // namespace slipway::cuda
