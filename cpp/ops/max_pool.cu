// MaxPool on CUDA.
#include "ops/pool.h"
#include "ops/types.h"
#include "ops/window.cuh"

namespace slipway::cuda {

namespace {

constexpr int kMaxPoolThreads = 256;

/// A NaN wins, and stays; of equal values the first.
template <typename T>
struct LargestTap {
  const T* x;
  T value;
  int64_t position;

  __device__ void operator()(int64_t at, int64_t) {
    const T next = x[at];
    if (position >= 0 && (next <= value || value != value)) return;
    value = next;
    position = at;
  }
};

__device__ inline int64_t column_major(const Window& window, int64_t position) {
  const WindowAxis(&axes)[3] = window.axes;
  const int64_t z = position / (axes[1].input * axes[2].input);
  const int64_t y = position / axes[2].input % axes[1].input;
  return (position % axes[2].input * axes[1].input + y) * axes[0].input + z;
}

/// y[n, c, o] = max over the taps t inside x of x[n, c, o * stride - pad + t * dilation], and where it was.
/// A thread takes one output at a time; neighbours read neighbouring inputs, in overlapping windows from the first
/// cache.
/// Moves each input and output once: bound by that bandwidth where windows do not overlap.
/// 256 threads, 64-bit positions: registers for 6 blocks per multiprocessor.
/// Checked against torch by tests/ops/test_max_pool.py.
template <typename T>
__global__ void __launch_bounds__(kMaxPoolThreads)
    max_pool_kernel(const __grid_constant__ PoolCall pool, const T* __restrict__ x, T* __restrict__ y,
                    int64_t* __restrict__ indices) {
  const int64_t outputs = pool.window.outputs();
  const int64_t inputs = pool.window.inputs();
  for (int64_t i = grid_thread(); i < pool.planes * outputs; i += grid_threads()) {
    const int64_t plane = i / outputs;
    LargestTap<T> best{x + plane * inputs, kLeast<T>, -1};
    for_each_tap(pool.window, window_at(pool.window, i % outputs), best);
    if (y != nullptr) y[i] = best.value;
    if (indices == nullptr) continue;
    const int64_t place = pool.is_column_major ? column_major(pool.window, best.position) : best.position;
    indices[i] = best.position < 0 ? -1 : plane * inputs + place;
  }
}

}  // namespace

void max_pool(const OpCall& call) noexcept {
  const auto& pool = call.as<PoolCall>();
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename T>() {
    launch(call, &max_pool_kernel<T>,
           {.grid = dim3(blocks_for(pool.planes * pool.window.outputs(), kMaxPoolThreads)),
            .block = dim3(kMaxPoolThreads)},
           pool, call.inputs[0].as<T>(), call.outputs[0].as<T>(),
           call.has_output(1) ? call.outputs[1].as<int64_t>() : nullptr);
  });
}

}  // namespace slipway::cuda
