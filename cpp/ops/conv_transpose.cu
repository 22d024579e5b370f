// ConvTranspose on CUDA.
#include "ops/conv_transpose_kernels.h"
#include "ops/conv_transpose_sum.h"
#include "ops/types.h"
#include "ops/window.cuh"

namespace slipway::cuda {

namespace {

constexpr int kTransposeThreads = 256;

/// y[n, m, o] = b[m] + sum over c and the taps t that land on o of x[n, c, i] * w[c, m, t], summed in double.
/// A thread gathers one output at a time; neighbours read neighbouring inputs.
/// Moves inputs and weights once per output through the first cache: bound by that, not by the 2 flops per term.
/// 256 threads, whatever registers they need: the kernel is for rare shapes.
/// Checked against torch by tests/ops/test_conv_transpose.py.
template <typename T>
__global__ void __launch_bounds__(kTransposeThreads)
    conv_transpose_kernel(const __grid_constant__ TransposeCall conv, const T* __restrict__ x, const T* __restrict__ w,
                          const T* __restrict__ b, T* __restrict__ y) {
  start_in_order();
  const WindowAxis(&axes)[3] = conv.window.axes;
  const int64_t outputs = conv.window.inputs();
  const int64_t channels = conv.groups * conv.outputs;
  for (int64_t index = grid_thread(); index < conv.batch * channels * outputs; index += grid_threads()) {
    const int64_t o = index % outputs;
    const int64_t at[3] = {o / (axes[1].input * axes[2].input), o / axes[2].input % axes[1].input, o % axes[2].input};
    const int64_t m = index / outputs % channels;
    const int64_t group = m / conv.outputs;
    const T* images = x + (index / outputs / channels * conv.groups + group) * conv.channels * conv.window.outputs();
    const T* weights = w + group * conv.channels * conv.outputs * conv.window.taps();
    const double sum = gather(conv, images, weights, m % conv.outputs, at);
    y[index] = static_cast<T>((b != nullptr ? static_cast<double>(b[m]) : 0.0) + sum);
  }
}

}  // namespace

void conv_transpose(const OpCall& call) noexcept {
  const auto& conv = call.as<TransposeCall>();
  if (conv.product.slice > 0) return conv_transpose_product(call);
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    const int64_t count = conv.batch * conv.groups * conv.outputs * conv.window.inputs();
    launch(call, &conv_transpose_kernel<T>,
           {.grid = dim3(blocks_for(count, kTransposeThreads)), .block = dim3(kTransposeThreads)}, conv,
           call.inputs[0].as<T>(), call.inputs[1].as<T>(), call.has_input(2) ? call.inputs[2].as<T>() : nullptr,
           call.outputs[0].as<T>());
  });
}

}  // namespace slipway::cuda
