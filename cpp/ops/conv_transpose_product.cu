// Transposed convolutions as matrix products on tensor cores: first every tap of every input, then each output gathers
// what lands on it.
#include "ops/conv_transpose_kernels.h"
#include "ops/pack.cuh"
#include "ops/product.cuh"

namespace slipway::cuda {

namespace {

constexpr int kLandedThreads = 256;

/// landed[n, g, m, t, i] = sum over c of w[g, c, m, t] * x[n, g, c, i], as exact as float32; an image's group along z.
/// A block makes 64 taps of channels x 64 inputs, 128 threads 32 each; a cluster where the terms are cut into slices.
/// Moves an operand once for every 64 rows of the other, mostly from the second cache. Bound by tensor cores: three
/// products of TF32, 3 * 2 flops per term.
/// 128 threads and 58 kB of shared memory: three blocks, and up to 168 registers.
/// Checked against torch by tests/ops/test_conv_transpose.py.
__global__ void __launch_bounds__(kProductThreads, 3)
    landing_kernel(MatrixOperand<false> weights, MatrixOperand<false> x, const ProductShape shape, ProductFinish finish,
                   int64_t groups) {
  start_in_order();
  weights.data += blockIdx.z % groups * shape.terms * shape.rows;
  x.data += blockIdx.z * shape.terms * shape.columns;
  finish.y += blockIdx.z * shape.rows * shape.columns;
  make_product(weights, x, shape, finish);
}

/// y[n, m, o] = b[m] + the sum of what lands on o, tap by tap.
/// A thread takes one output at a time; neighbours along the width read inputs side by side, stride by stride.
/// Moves each product of the first kernel once, from the second cache where it fits, and is bound by that.
/// 256 threads, 32-bit places: registers for 8 blocks per multiprocessor.
/// Checked against torch by tests/ops/test_conv_transpose.py.
__global__ void __launch_bounds__(kLandedThreads)
    gather_landed_kernel(const __grid_constant__ TransposeCall conv, const float* __restrict__ landed,
                         const float* __restrict__ b, float* __restrict__ y) {
  start_in_order();
  const WindowAxis(&axes)[3] = conv.window.axes;
  const int height = static_cast<int>(axes[1].input);
  const int width = static_cast<int>(axes[2].input);
  const int in_height = static_cast<int>(axes[1].output);
  const int in_width = static_cast<int>(axes[2].output);
  const int taps_down = static_cast<int>(axes[1].kernel);
  const int taps_across = static_cast<int>(axes[2].kernel);
  const int channels = static_cast<int>(conv.groups * conv.outputs);
  const int64_t planes = conv.batch * channels;
  for (int64_t plane = blockIdx.y; plane < planes; plane += gridDim.y) {
    const float* from = landed + plane * taps_down * taps_across * in_height * in_width;
    const float bias = b != nullptr ? b[plane % channels] : 0.0f;
    for (int o = blockIdx.x * kLandedThreads + threadIdx.x; o < height * width; o += gridDim.x * kLandedThreads) {
      float sum = 0.0f;
      for (int i = 0; i < taps_down; ++i) {
        const int row = o / width + static_cast<int>(axes[1].begin) - i * static_cast<int>(axes[1].dilation);
        const int down = row / static_cast<int>(axes[1].stride);
        if (row < 0 || down * static_cast<int>(axes[1].stride) != row || down >= in_height) continue;
        for (int j = 0; j < taps_across; ++j) {
          const int column = o % width + static_cast<int>(axes[2].begin) - j * static_cast<int>(axes[2].dilation);
          const int across = column / static_cast<int>(axes[2].stride);
          if (column < 0 || across * static_cast<int>(axes[2].stride) != column || across >= in_width) continue;
          sum += from[((i * taps_across + j) * in_height + down) * in_width + across];
        }
      }
      y[plane * height * width + o] = bias + sum;
    }
  }
}

}  // namespace

void conv_transpose_product(const OpCall& call) noexcept {
  const auto& conv = call.as<TransposeCall>();
  const ProductShape& shape = conv.product;
  auto* landed = reinterpret_cast<float*>(call.scratch);
  const auto operand = [](const float* data, int64_t pitch) -> MatrixOperand<false> {
    return {data, pitch, pitch % 4 == 0 && is_aligned<16>(data)};
  };
  ProductFinish finish;
  finish.y = landed;
  finish.y_row = finish.inner = shape.columns;
  launch(call, &landing_kernel, launch_of(shape, conv.batch * conv.groups),
         operand(call.inputs[1].as<float>(), shape.rows), operand(call.inputs[0].as<float>(), shape.columns), shape,
         finish, conv.groups);
  const int64_t planes = conv.batch * conv.groups * conv.outputs;
  constexpr int64_t kMostGrid = 65535;
  launch(call, &gather_landed_kernel,
         {.grid = dim3(blocks_for(conv.window.inputs(), kLandedThreads),
                       static_cast<unsigned>(planes < kMostGrid ? planes : kMostGrid)),
          .block = dim3(kLandedThreads)},
         conv, static_cast<const float*>(landed), call.has_input(2) ? call.inputs[2].as<float>() : nullptr,
         call.outputs[0].as<float>());
}

}  // namespace slipway::cuda
