// Gemm on CUDA.
#include "ops/gemm_kernels.h"

namespace slipway::cuda {

void multiply_add(const OpCall& call) noexcept {
  if (call.as<GemmCall>().product.slice > 0) return multiply_add_product(call);
  multiply_add_plain(call);
}

void gemm(const OpCall& call) noexcept { multiply_add(call); }

}  // namespace slipway::cuda
