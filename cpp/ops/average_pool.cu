// AveragePool on CUDA.
#include "ops/pool.h"
#include "ops/types.h"
#include "ops/window.cuh"

namespace slipway::cuda {

namespace {

constexpr int kAveragePoolThreads = 256;

template <typename T>
struct TapSum {
  const T* x;
  double sum;

  __device__ void operator()(int64_t at, int64_t) { sum += static_cast<double>(x[at]); }
};

/// Elements that the mean divides by. A window begins within the padding before the input, so only its end can lie
/// outside of what counts.
__device__ inline double count_elements(const PoolCall& pool, const WindowAt& at, int64_t output) {
  double count = 1.0;
  for (int axis = 2; axis >= 0; --axis) {
    const WindowAxis& along = pool.window.axes[axis];
    const int64_t padded = taps_within(along, output % along.output, along.input + along.end).end;
    output /= along.output;
    count *= static_cast<double>(pool.counts_padding ? padded : at.taps[axis].end - at.taps[axis].begin);
  }
  return count;
}

/// y[n, c, o] = sum over the taps t inside x of x[n, c, o * stride - pad + t * dilation] / count, summed in double.
/// A thread takes one output at a time; neighbours read neighbouring inputs, in overlapping windows from the first
/// cache.
/// Moves each input and output once: bound by that bandwidth where windows do not overlap.
/// 256 threads, 64-bit positions: registers for 6 blocks per multiprocessor.
/// Checked against torch by tests/ops/test_average_pool.py.
template <typename T>
__global__ void __launch_bounds__(kAveragePoolThreads)
    average_pool_kernel(const __grid_constant__ PoolCall pool, const T* __restrict__ x, T* __restrict__ y) {
  const int64_t outputs = pool.window.outputs();
  for (int64_t i = grid_thread(); i < pool.planes * outputs; i += grid_threads()) {
    const WindowAt at = window_at(pool.window, i % outputs);
    TapSum<T> sum{x + i / outputs * pool.window.inputs(), 0.0};
    for_each_tap(pool.window, at, sum);
    y[i] = static_cast<T>(sum.sum / count_elements(pool, at, i % outputs));
  }
}

}  // namespace

void average_pool(const OpCall& call) noexcept {
  const auto& pool = call.as<PoolCall>();
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    launch(call, &average_pool_kernel<T>,
           {.grid = dim3(blocks_for(pool.planes * pool.window.outputs(), kAveragePoolThreads)),
            .block = dim3(kAveragePoolThreads)},
           pool, call.inputs[0].as<T>(), call.outputs[0].as<T>());
  });
}

}  // namespace slipway::cuda
