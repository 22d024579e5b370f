// A transposed convolution as kernels see it.
#pragma once

#include "ops/call.h"
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
  ProductShape product;  ///< of CUDA: [outputs, taps] times [pixels of x], for each image and group
};

namespace scalar {
/// The meaning; the vector kernel leaves other types than float32, and too large products, to it.
void conv_transpose(const OpCall& call) noexcept;
}  // namespace scalar

}  // namespace slipway
