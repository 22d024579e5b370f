// GlobalAveragePool on CUDA.
#include "ops/pack.cuh"
#include "ops/planes.h"
#include "ops/types.h"

namespace slipway::cuda {

namespace {

constexpr int kGlobalMeanThreads = 256;

/// y[n, c] = mean of x[n, c, ...], summed in double.
/// A warp takes one plane at a time: its lanes stride over the elements, then fold their sums in a fixed order.
/// Moves each input once: bound by that bandwidth.
/// 256 threads, 8 warps that never wait for each other.
/// Checked against numpy by tests/ops/test_global_average_pool.py.
template <typename T>
__global__ void __launch_bounds__(kGlobalMeanThreads)
    global_mean_kernel(const T* __restrict__ x, T* __restrict__ y, PlanesCall planes) {
  start_in_order();
  const int lane = threadIdx.x % kWarp;
  for (int64_t plane = grid_thread() / kWarp; plane < planes.planes; plane += grid_threads() / kWarp) {
    double sum = 0.0;
    for (int64_t i = lane; i < planes.size; i += kWarp) sum += static_cast<double>(x[plane * planes.size + i]);
    for (int other = kWarp / 2; other > 0; other /= 2) sum += __shfl_xor_sync(kAllLanes, sum, other);
    if (lane == 0) y[plane] = static_cast<T>(sum / static_cast<double>(planes.size));
  }
}

}  // namespace

void global_average_pool(const OpCall& call) noexcept {
  const auto& planes = call.as<PlanesCall>();
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    launch(call, &global_mean_kernel<T>,
           {.grid = dim3(blocks_for(planes.planes * kWarp, kGlobalMeanThreads)), .block = dim3(kGlobalMeanThreads)},
           call.inputs[0].as<T>(), call.outputs[0].as<T>(), planes);
  });
}

}  // namespace slipway::cuda
