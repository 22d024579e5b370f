// Conv on CUDA.
#include "ops/conv_kernels.h"

namespace slipway::cuda {

void convolve(const OpCall& call) noexcept { convolve_plain(call); }

void conv(const OpCall& call) noexcept { convolve(call); }

}  // namespace slipway::cuda
