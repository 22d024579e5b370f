// A convolution as kernels see it.
#pragma once

#include "ops/activation.h"
#include "ops/call.h"
#include "ops/conv_direct.h"
#include "ops/product.h"
#include "ops/window.h"

namespace slipway {

/// What one term of a convolution over height and width reads, relative to a window's first element.
struct ConvTerm {
  int32_t offset;
  int32_t tap;  ///< kernel row * columns + column; kNoTap reads nothing
};
inline constexpr int32_t kNoTap = 63;

struct ConvCall {
  Window window;
  int64_t batch = 0;
  int64_t groups = 0;
  int64_t channels = 0;                ///< of the input, per group
  int64_t outputs = 0;                 ///< channels of the output, per group
  const float* packed = nullptr;       ///< weights as tiles (conv_rules.h), or null: pack nothing
  const DirectConv* direct = nullptr;  ///< how to do without im2col, or null
  ActivationCall activation;
  ProductShape product;             ///< of CUDA
  const ConvTerm* terms = nullptr;  ///< of CUDA, there: [channels, kernel height, kernel width], then kNoTap
};

namespace scalar {
/// The meaning; vector kernels leave other types than float32 to it.
void convolve(const OpCall& call) noexcept;
}  // namespace scalar

}  // namespace slipway
