// Convolutions of every shape and type, one thread for each output: what faster kernels leave over.
#include "ops/activation.cuh"
#include "ops/conv_kernels.h"
#include "ops/types.h"
#include "ops/window.cuh"

namespace slipway::cuda {

namespace {

constexpr int kConvPlainThreads = 256;

template <typename T>
struct ConvPlainSum {
  const T* x;
  const T* w;
  double sum;

  __device__ void operator()(int64_t position, int64_t tap) {
    sum += static_cast<double>(x[position]) * static_cast<double>(w[tap]);
  }
};

/// y[n, m, o] = f(b[m] + sum over c, t of x[n, c, o * stride - pad + t * dilation] * w[m, c, t]), summed in double.
/// A thread takes one output at a time; neighbours read neighbouring inputs and the same weights.
/// Moves inputs and weights once per output through the first cache: bound by that, not by the 2 flops per term.
/// 256 threads, whatever registers they need: the kernel is for rare shapes.
/// Checked against torch by tests/ops/test_conv.py.
template <typename T>
__global__ void __launch_bounds__(kConvPlainThreads)
    conv_plain_kernel(const __grid_constant__ ConvCall conv, const __grid_constant__ DeviceWindow<int64_t> window,
                      const T* __restrict__ x, const T* __restrict__ w, const T* __restrict__ b, T* __restrict__ y) {
  start_in_order();
  const int64_t outputs = conv.window.outputs();
  const int64_t channels = conv.groups * conv.outputs;
  const int64_t inputs = conv.window.inputs();
  const int64_t taps = conv.window.taps();
  for (int64_t i = grid_thread(); i < conv.batch * channels * outputs; i += grid_threads()) {
    const int64_t m = i / outputs % channels;
    const int64_t image = i / outputs / channels * conv.groups + m / conv.outputs;
    const WindowAt<int64_t> at = window_at(window, i % outputs);
    ConvPlainSum<T> sum{x + image * conv.channels * inputs, w + m * conv.channels * taps, 0.0};
    for (int64_t c = 0; c < conv.channels; ++c, sum.x += inputs, sum.w += taps) for_each_tap(window, at, sum);
    const double bias = b != nullptr ? static_cast<double>(b[m]) : 0.0;
    y[i] = static_cast<T>(activate(conv.activation, bias + sum.sum));
  }
}

}  // namespace

void convolve_plain(const OpCall& call) noexcept {
  const auto& conv = call.as<ConvCall>();
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    const int64_t count = conv.batch * conv.groups * conv.outputs * conv.window.outputs();
    launch(call, &conv_plain_kernel<T>,
           {.grid = dim3(blocks_for(count, kConvPlainThreads)), .block = dim3(kConvPlainThreads)}, conv,
           DeviceWindow<int64_t>(conv.window), call.inputs[0].as<T>(), call.inputs[1].as<T>(),
           call.has_input(2) ? call.inputs[2].as<T>() : nullptr, call.outputs[0].as<T>());
  });
}

}  // namespace slipway::cuda
