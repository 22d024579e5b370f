// The CUDA kernels of convolutions, and the choice between them. For .cu files.
#pragma once

#include "ops/conv.h"

namespace slipway::cuda {

/// Conv and ConvActivation.
void convolve(const OpCall& call) noexcept;

/// Any shape and type.
void convolve_plain(const OpCall& call) noexcept;

/// On tensor cores: where the call has a product's shape.
void convolve_product(const OpCall& call) noexcept;

}  // namespace slipway::cuda
