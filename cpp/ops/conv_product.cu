// Convolutions over height and width as matrix products on tensor cores, their right operand gathered on the way.
#include "ops/conv_kernels.h"
#include "ops/product.cuh"

namespace slipway::cuda {

namespace {

/// What the windows read: [pixels of all images, terms].
struct WindowOperand {
  static constexpr bool kByRow = false;
  const float* x = nullptr;
  const ConvTerm* terms = nullptr;
  int64_t image = 0;  ///< floats from one image to the next
  int pixels = 0;     ///< of an image's output
  int width = 0;      ///< of the output
  WindowAxis rows;
  WindowAxis columns;

  /// The window of one output.
  struct Place {
    const float* first;  ///< what the first term reads; may lie outside
    uint64_t taps;       ///< a bit for each that lies inside
  };

  /// A bit for each tap of an axis that reads something; `apart` bits from one to the next.
  [[nodiscard]] static __device__ uint64_t taps_inside(const WindowAxis& axis, int first, int apart) {
    uint64_t taps = 0;
    for (int t = 0; t < static_cast<int>(axis.kernel); ++t) {
      const int at = first + t * static_cast<int>(axis.dilation);
      if (at >= 0 && at < static_cast<int>(axis.input)) taps |= uint64_t{1} << (t * apart);
    }
    return taps;
  }
  [[nodiscard]] __device__ Place place_of(int64_t row) const {
    const int64_t n = row / pixels;
    const int pixel = static_cast<int>(row % pixels);
    const int y = pixel / width * static_cast<int>(rows.stride) - static_cast<int>(rows.begin);
    const int at = pixel % width * static_cast<int>(columns.stride) - static_cast<int>(columns.begin);
    // A bit of one axis times those of the other: no two products meet.
    const uint64_t taps = taps_inside(rows, y, static_cast<int>(columns.kernel)) * taps_inside(columns, at, 1);
    return {x + n * image + static_cast<int64_t>(y) * columns.input + at, taps};
  }
  [[nodiscard]] __device__ float at(int64_t row, int64_t k) const {
    const Place place = place_of(row);
    return (place.taps >> terms[k].tap & 1) != 0 ? place.first[terms[k].offset] : 0.0f;
  }

  /// A thread has one pixel, and every second term: a warp's lanes are neighbouring pixels.
  struct Cursor {
    const ConvTerm* terms;
    Place place;

    __device__ Cursor(const WindowOperand& operand, int64_t row, int64_t end)
        : terms(operand.terms), place(operand.place_of(min(row + threadIdx.x % kProductTile, end - 1))) {}
    /// Columns beyond the last repeat it; the list goes on to a whole tile with terms that read nothing.
    __device__ void copy(float* shared, int64_t term, int64_t) const {
      constexpr int kApart = kProductThreads / kProductTile;
      const int first = threadIdx.x / kProductTile;
      const auto* entry = reinterpret_cast<const int2*>(terms + term + first);
      float* to = shared + first * kTermPitch + threadIdx.x % kProductTile;
#pragma unroll
      for (int i = 0; i < kProductDepth; i += kApart) {
        const int2 offset_and_tap = __ldg(entry + i);
        copy_async<4>(to + i * kTermPitch, place.first + offset_and_tap.x, (place.taps >> offset_and_tap.y & 1) != 0);
      }
    }
  };
};

/// y[n, m, o] = f(b[m] + sum over k of w[m, k] * x[n, place(o) + offset(k)]), as exact as float32; a group along z.
/// A block makes 64 channels x 64 pixels, 128 threads 32 each; a cluster where the terms are cut into slices.
/// Moves an input once for every 64 channels, 4 bytes at a time: pixels lie side by side, kernel columns do not. Bound
/// by tensor cores: three products of TF32, 3 * 2 flops per term.
/// 128 threads and 58 kB of shared memory: three blocks, and up to 168 registers.
/// Checked against torch by tests/ops/test_conv.py.
__global__ void __launch_bounds__(kProductThreads, 3)
    conv_product_kernel(MatrixOperand<true> weights, WindowOperand windows, const ProductShape shape,
                        ProductFinish finish, int64_t group_inputs) {
  start_in_order();
  weights.data += blockIdx.z * shape.rows * shape.terms;
  windows.x += blockIdx.z * group_inputs;
  finish.y += blockIdx.z * shape.rows * finish.y_row;
  if (finish.c != nullptr) finish.c += blockIdx.z * shape.rows;
  make_product(weights, windows, shape, finish);
}

}  // namespace

void convolve_product(const OpCall& call) noexcept {
  const auto& conv = call.as<ConvCall>();
  const auto& [d, h, w] = conv.window.axes;
  const auto* weights = call.inputs[1].as<float>();
  const int64_t pixels = conv.window.outputs();
  const int64_t group_inputs = conv.channels * conv.window.inputs();
  const MatrixOperand<true> left = {weights, conv.product.terms,
                                    conv.product.terms % 4 == 0 && reinterpret_cast<uintptr_t>(weights) % 16 == 0};
  const WindowOperand windows = {.x = call.inputs[0].as<float>(),
                                 .terms = conv.terms,
                                 .image = conv.groups * group_inputs,
                                 .pixels = static_cast<int>(pixels),
                                 .width = static_cast<int>(w.output),
                                 .rows = h,
                                 .columns = w};
  const ProductFinish finish = {.y = call.outputs[0].as<float>(),
                                .c = call.has_input(2) ? call.inputs[2].as<float>() : nullptr,
                                .y_row = pixels,
                                .y_outer = conv.groups * conv.outputs * pixels,
                                .inner = pixels,
                                .c_row = 1,
                                .activation = conv.activation};
  launch(call, &conv_product_kernel, launch_of(conv.product, conv.groups), left, windows, conv.product, finish,
         group_inputs);
}

}  // namespace slipway::cuda
