// GlobalMaxPool on CUDA.
#include "ops/pack.cuh"
#include "ops/planes.h"
#include "ops/types.h"

namespace slipway::cuda {

namespace {

constexpr int kGlobalMaxThreads = 256;

/// A NaN wins; of equal values the first, which tells -0 from 0.
template <typename T>
struct LargestOfPlane {
  T value;
  int64_t place;

  __device__ void take(T other, int64_t at) {
    if (value != value) return;
    if (other <= value && (other < value || at > place)) return;
    value = other;
    place = at;
  }
};

/// y[n, c] = max of x[n, c, ...].
/// A warp takes one plane at a time: its lanes stride over the elements, then compare what they found.
/// Moves each input once: bound by that bandwidth.
/// 256 threads, 8 warps that never wait for each other.
/// Checked against numpy by tests/ops/test_global_max_pool.py.
template <typename T>
__global__ void __launch_bounds__(kGlobalMaxThreads)
    global_max_kernel(const T* __restrict__ x, T* __restrict__ y, PlanesCall planes) {
  start_in_order();
  const int lane = threadIdx.x % kWarp;
  for (int64_t plane = grid_thread() / kWarp; plane < planes.planes; plane += grid_threads() / kWarp) {
    LargestOfPlane<T> best{kLeast<T>, planes.size};
    for (int64_t i = lane; i < planes.size; i += kWarp) best.take(x[plane * planes.size + i], i);
    for (int other = kWarp / 2; other > 0; other /= 2) {
      const T value = __shfl_xor_sync(kAllLanes, best.value, other);
      const int64_t place = __shfl_xor_sync(kAllLanes, best.place, other);
      best.take(value, place);
    }
    if (lane == 0) y[plane] = best.value;
  }
}

}  // namespace

void global_max_pool(const OpCall& call) noexcept {
  const auto& planes = call.as<PlanesCall>();
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    launch(call, &global_max_kernel<T>,
           {.grid = dim3(blocks_for(planes.planes * kWarp, kGlobalMaxThreads)), .block = dim3(kGlobalMaxThreads)},
           call.inputs[0].as<T>(), call.outputs[0].as<T>(), planes);
  });
}

}  // namespace slipway::cuda
