// Max and Min on CUDA: any number of inputs, each broadcast along its own walk.
#pragma once

#include "ops/elementwise.cuh"
#include "ops/extremum.h"

namespace slipway::cuda {

inline constexpr int kMostExtremumInputs = 4;

/// Up to 4 inputs as a kernel's parameter.
template <typename T>
struct ExtremumInputs {
  int count;
  bool begins;  ///< y holds nothing yet
  const T* data[kMostExtremumInputs];
  DeviceWalk<1> walks[kMostExtremumInputs];
};

/// y = the best of y and the inputs, NaN where one of them is NaN. A thread takes one element, and goes on in strides
/// of the grid. Bound by bandwidth where walks are short: 4 bytes per float32 of each input and of y. 256 threads, 8
/// blocks per multiprocessor: enough loads in flight. Checked against the scalar column by tests/ops.
template <typename T, typename F>
__global__ void __launch_bounds__(kMapThreads)
    extremum_kernel(const __grid_constant__ ExtremumInputs<T> inputs, T* __restrict__ y, const F is_better) {
  start_in_order();
#pragma unroll 1
  for (int64_t i = grid_thread(); i < inputs.walks[0].count; i += grid_threads()) {
    T best = inputs.begins ? inputs.data[0][inputs.walks[0].locate(i).at[0]] : y[i];
#pragma unroll 1
    for (int n = inputs.begins ? 1 : 0; n < inputs.count; ++n) {
      const T next = inputs.data[n][inputs.walks[n].locate(i).at[0]];
      if (next != next || is_better(next, best)) best = next;
    }
    y[i] = best;
  }
}

/// y = the first input, then y = x wherever is_better(x, y) or x is NaN.
template <typename F>
void fold_inputs(const OpCall& call, const F& is_better) noexcept {
  const auto& extremum = call.as<ExtremumCall>();
  if (call.outputs[0].shape.count() == 0) return;
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename T>() {
    for (int64_t first = 0; first < extremum.inputs; first += kMostExtremumInputs) {
      ExtremumInputs<T> inputs;
      inputs.begins = first == 0;
      inputs.count = 0;
      for (int64_t n = first; n < extremum.inputs && inputs.count < kMostExtremumInputs; ++n) {
        inputs.data[inputs.count] = call.inputs[static_cast<std::size_t>(n)].as<T>();
        inputs.walks[inputs.count++] = DeviceWalk<1>(extremum.walks[n]);
      }
      launch(call, &extremum_kernel<T, F>,
             {.grid = dim3(blocks_for(inputs.walks[0].count, kMapThreads)), .block = dim3(kMapThreads)}, inputs,
             call.outputs[0].as<T>(), is_better);
    }
  });
}

}  // namespace slipway::cuda
