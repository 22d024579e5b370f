// GatherElements on CUDA.
#include "ops/indexing.cuh"

namespace slipway::cuda {

namespace {

/// y[i] = data[walk(i) + indices[i] * stride]. A thread takes one element, and goes on in strides of the grid.
/// Reads an index and writes an element in order; what it reads of data lies anywhere, a sector of 32 bytes each time
/// at worst. 256 threads, 8 blocks per multiprocessor: enough loads in flight.
/// Checked against the scalar column by tests/ops.
template <typename U>
__global__ void __launch_bounds__(kMoveThreads)
    gather_elements_kernel(const __grid_constant__ DeviceWalk<1> walk, const DeviceIndices indices, int64_t size,
                           int64_t stride, DeviceFault* fault, const U* __restrict__ data, U* __restrict__ y) {
  start_in_order();
  for (int64_t i = grid_thread(); i < walk.count; i += grid_threads()) {
    const int64_t index = checked_index(fault, indices[i], size);
    if (index >= 0) y[i] = data[walk.locate(i).at[0] + index * stride];
  }
}

}  // namespace

void gather_elements(const OpCall& call) noexcept {
  const auto& elements = call.as<ElementsWalk>();
  if (elements.walk.count() == 0) return;
  dispatch_element(call.inputs[0].dtype, [&]<typename U>() {
    launch(call, &gather_elements_kernel<U>, move_launch(elements.walk.count()), DeviceWalk<1>(elements.walk),
           DeviceIndices(call.inputs[1]), elements.size, elements.stride, call.device_fault, call.inputs[0].as<U>(),
           call.outputs[0].as<U>());
  });
}

}  // namespace slipway::cuda
