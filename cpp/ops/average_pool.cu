// AveragePool on CUDA.
#include "ops/pool.h"
#include "ops/types.h"
#include "ops/window.cuh"

namespace slipway::cuda {

namespace {

constexpr int kAveragePoolThreads = 256;

template <typename T, typename Index>
struct TapSum {
  const T* x;
  double sum;

  __device__ void operator()(Index at, Index) { sum += static_cast<double>(x[at]); }
};

/// Elements that the mean divides by. A window begins within the padding before the input, so only its end can lie
/// outside of what counts.
template <typename Index>
__device__ double count_elements(const DeviceWindow<Index>& window, const WindowAt<Index>& at, bool counts_padding) {
  double count = 1.0;
  for (int axis = 0; axis < 3; ++axis) {
    const DeviceAxis<Index>& along = window.axes[axis];
    const Index padded = along.taps_within(at.output[axis], along.input + along.end).last;
    count *= static_cast<double>(counts_padding ? padded : at.taps[axis].last - at.taps[axis].first);
  }
  return count;
}

/// y[n, c, o] = sum over the taps t inside x of x[n, c, o * stride - pad + t * dilation] / count, summed in double.
/// A thread takes one output at a time; neighbours read neighbouring inputs, in overlapping windows from the first
/// cache.
/// Moves each input and output once: bound by that bandwidth where windows do not overlap.
/// 256 threads; with 32-bit positions registers for 4 blocks or more per multiprocessor.
/// Checked against torch by tests/ops/test_average_pool.py.
template <typename T, typename Index>
__global__ void __launch_bounds__(kAveragePoolThreads)
    average_pool_kernel(const __grid_constant__ DeviceWindow<Index> window, Index planes, bool counts_padding,
                        const T* __restrict__ x, T* __restrict__ y) {
  start_in_order();
  const Index outputs = window.outputs();
  const auto stride = static_cast<Index>(grid_threads());
  for (auto i = static_cast<Index>(grid_thread()); i < planes * outputs; i += stride) {
    const WindowAt<Index> at = window_at(window, i % outputs);
    TapSum<T, Index> sum{x + i / outputs * window.inputs(), 0.0};
    for_each_tap(window, at, sum);
    y[i] = static_cast<T>(sum.sum / count_elements(window, at, counts_padding));
  }
}

template <typename T, typename Index>
void start_average_pool(const OpCall& call) noexcept {
  const auto& pool = call.as<PoolCall>();
  launch(call, &average_pool_kernel<T, Index>,
         {.grid = dim3(blocks_for(pool.planes * pool.window.outputs(), kAveragePoolThreads)),
          .block = dim3(kAveragePoolThreads)},
         DeviceWindow<Index>(pool.window), static_cast<Index>(pool.planes), pool.counts_padding, call.inputs[0].as<T>(),
         call.outputs[0].as<T>());
}

}  // namespace

void average_pool(const OpCall& call) noexcept {
  const auto& pool = call.as<PoolCall>();
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    if constexpr (std::is_same_v<T, float>) {
      if (fits_int(pool.window, pool.planes)) return start_average_pool<T, int>(call);
    }
    start_average_pool<T, int64_t>(call);
  });
}

}  // namespace slipway::cuda
