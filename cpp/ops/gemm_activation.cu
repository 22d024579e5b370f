// GemmActivation on CUDA.
#include "ops/gemm_kernels.h"

namespace slipway::cuda {

void gemm_activation(const OpCall& call) noexcept { multiply_add(call); }

}  // namespace slipway::cuda
