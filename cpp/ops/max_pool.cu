// MaxPool on CUDA.
#include "ops/pool.h"
#include "ops/types.h"
#include "ops/window.cuh"

namespace slipway::cuda {

namespace {

constexpr int kMaxPoolThreads = 256;

/// A NaN wins, and stays; of equal values the first.
template <typename T, typename Index>
struct LargestTap {
  const T* x;
  T value;
  Index position;

  __device__ void operator()(Index at, Index) {
    const T next = x[at];
    if (position >= 0 && (next <= value || value != value)) return;
    value = next;
    position = at;
  }
};

template <typename Index>
__device__ Index column_major(const DeviceWindow<Index>& window, Index position) {
  const DeviceAxis<Index>(&axes)[3] = window.axes;
  const Index z = position / (axes[1].input * axes[2].input);
  const Index y = position / axes[2].input % axes[1].input;
  return (position % axes[2].input * axes[1].input + y) * axes[0].input + z;
}

/// y[n, c, o] = max over the taps t inside x of x[n, c, o * stride - pad + t * dilation], and where it was.
/// A thread takes one output at a time; neighbours read neighbouring inputs, in overlapping windows from the first
/// cache.
/// Moves each input and output once: bound by that bandwidth where windows do not overlap.
/// 256 threads; with 32-bit positions registers for 4 blocks or more per multiprocessor.
/// Checked against torch by tests/ops/test_max_pool.py.
template <typename T, typename Index>
__global__ void __launch_bounds__(kMaxPoolThreads)
    max_pool_kernel(const __grid_constant__ DeviceWindow<Index> window, Index planes, bool is_column_major,
                    const T* __restrict__ x, T* __restrict__ y, int64_t* __restrict__ indices) {
  start_in_order();
  const Index outputs = window.outputs();
  const Index inputs = window.inputs();
  const auto stride = static_cast<Index>(grid_threads());
  for (auto i = static_cast<Index>(grid_thread()); i < planes * outputs; i += stride) {
    const Index plane = i / outputs;
    LargestTap<T, Index> best{x + plane * inputs, kLeast<T>, -1};
    for_each_tap(window, window_at(window, i % outputs), best);
    if (y != nullptr) y[i] = best.value;
    if (indices == nullptr) continue;
    const Index place = is_column_major ? column_major(window, best.position) : best.position;
    indices[i] = best.position < 0 ? -1 : plane * inputs + place;
  }
}

template <typename T, typename Index>
void start_max_pool(const OpCall& call) noexcept {
  const auto& pool = call.as<PoolCall>();
  launch(
      call, &max_pool_kernel<T, Index>,
      {.grid = dim3(blocks_for(pool.planes * pool.window.outputs(), kMaxPoolThreads)), .block = dim3(kMaxPoolThreads)},
      DeviceWindow<Index>(pool.window), static_cast<Index>(pool.planes), pool.is_column_major, call.inputs[0].as<T>(),
      call.outputs[0].as<T>(), call.has_output(1) ? call.outputs[1].as<int64_t>() : nullptr);
}

}  // namespace

void max_pool(const OpCall& call) noexcept {
  const auto& pool = call.as<PoolCall>();
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename T>() {
    if constexpr (std::is_same_v<T, float>) {
      if (fits_int(pool.window, pool.planes)) return start_max_pool<T, int>(call);
    }
    start_max_pool<T, int64_t>(call);
  });
}

}  // namespace slipway::cuda
