// The CUDA kernels of ConvTranspose. For .cu files.
#pragma once

#include "ops/conv_transpose.h"

namespace slipway::cuda {

/// As matrix products, then a gathering of what lands on each output: where the call has a product's shape.
void conv_transpose_product(const OpCall& call) noexcept;

}  // namespace slipway::cuda
