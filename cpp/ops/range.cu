// Range on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

/// y = start + i * delta, in double for floating point. A thread takes one element, and goes on in strides of the grid;
/// bound by the bandwidth of writing. 256 threads, 8 blocks per multiprocessor: enough stores in flight.
/// Checked against the scalar column by tests/ops.
template <typename T>
__global__ void __launch_bounds__(kMapThreads)
    range_kernel(const T* __restrict__ start, const T* __restrict__ delta, T* __restrict__ y, int64_t count) {
  start_in_order();
  const T first = *start;
  const T step = *delta;
  for (int64_t i = grid_thread(); i < count; i += grid_threads()) {
    if constexpr (std::is_integral_v<T>) {
      y[i] = wrap_add(first, wrap_multiply(static_cast<T>(i), step));
    } else {
      y[i] = static_cast<T>(static_cast<double>(first) + static_cast<double>(i) * static_cast<double>(step));
    }
  }
}

}  // namespace

void range(const OpCall& call) noexcept {
  const int64_t count = call.outputs[0].shape.count();
  dispatch(WideNumbers{}, call.inputs[0].dtype, [&]<typename T>() {
    launch(call, &range_kernel<T>, {.grid = dim3(blocks_for(count, kMapThreads)), .block = dim3(kMapThreads)},
           call.inputs[0].as<T>(), call.inputs[2].as<T>(), call.outputs[0].as<T>(), count);
  });
}

}  // namespace slipway::cuda
