// The CUDA kernels of matrix products, and the choice between them. For .cu files.
#pragma once

#include "ops/gemm.h"

namespace slipway::cuda {

/// Gemm and GemmActivation.
void multiply_add(const OpCall& call) noexcept;

/// Any shape and type.
void multiply_add_plain(const OpCall& call) noexcept;

/// On tensor cores: where the call has a product's shape.
void multiply_add_product(const OpCall& call) noexcept;

}  // namespace slipway::cuda
