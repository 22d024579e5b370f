// The CUDA kernels of MatMul. For .cu files.
#pragma once

#include "ops/matmul.h"

namespace slipway::cuda {

/// On tensor cores: where the call has a product's shape.
void matmul_product(const OpCall& call) noexcept;

}  // namespace slipway::cuda
