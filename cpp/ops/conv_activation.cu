// ConvActivation on CUDA.
#include "ops/conv_kernels.h"

namespace slipway::cuda {

void conv_activation(const OpCall& call) noexcept { convolve(call); }

}  // namespace slipway::cuda
