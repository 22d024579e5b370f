// A convolution as kernels see it.
#pragma once

#include "ops/activation.h"
#include "ops/call.h"
#include "ops/conv_direct.h"
#include "ops/window.h"

namespace slipway {

struct ConvCall {
  Window window;
  int64_t batch = 0;
  int64_t groups = 0;
  int64_t channels = 0;                ///< of the input, per group
  int64_t outputs = 0;                 ///< channels of the output, per group
  const float* packed = nullptr;       ///< weights as tiles (conv_rules.h), or null: pack nothing
  const DirectConv* direct = nullptr;  ///< how to do without im2col, or null
  ActivationCall activation;
};

namespace scalar {
/// The meaning; vector kernels leave other types than float32 to it.
void convolve(const OpCall& call) noexcept;
}  // namespace scalar

}  // namespace slipway
