// Conv on CUDA.
#include "ops/conv_kernels.h"

namespace slipway::cuda {

void convolve(const OpCall& call) noexcept {
  if (call.as<ConvCall>().product.slice > 0) return convolve_product(call);
  convolve_plain(call);
}

void conv(const OpCall& call) noexcept { convolve(call); }

}  // namespace slipway::cuda
