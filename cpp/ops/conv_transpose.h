// A transposed convolution as kernels see it.
#pragma once

#include "base/both.h"
#include "ops/call.h"
#include "ops/conv_transpose_phases.h"
#include "ops/product.h"
#include "ops/window.h"

namespace slipway {

/// `window` is that of the convolution which this one transposes: its input is y, its output is x.
struct TransposeCall {
  Window window;
  int64_t batch = 0;
  int64_t groups = 0;
  int64_t channels = 0;  ///< of x, per group
  int64_t outputs = 0;   ///< channels of y, per group
  int64_t panels = 0;    ///< floats of scratch for the inputs of an image and group, before the products; 0: none
  const TransposePhases* phases = nullptr;  ///< how to do without products in scratch, or null
  ProductShape product;                     ///< of CUDA: [outputs, taps] times [pixels of x], for each image and group
};

/// The input of which tap `t` lands on output `o` along an axis; -1 where there is none.
[[nodiscard]] SLIPWAY_BOTH static constexpr int64_t source_of(const WindowAxis& axis, int64_t o, int64_t t) noexcept {
  const int64_t scaled = o + axis.begin - t * axis.dilation;
  if (scaled < 0 || scaled % axis.stride != 0 || scaled / axis.stride >= axis.output) return -1;
  return scaled / axis.stride;
}

namespace scalar {
/// The meaning; the vector kernel leaves other types than float32, too large products and windows, to it.
void conv_transpose(const OpCall& call) noexcept;
}  // namespace scalar

}  // namespace slipway
