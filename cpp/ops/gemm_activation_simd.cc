// GemmActivation: the call that Gemm's kernel reads holds the activation.
#include "ops/call.h"

namespace slipway::SLIPWAY_ISA {

void gemm(const OpCall& call) noexcept;

void gemm_activation(const OpCall& call) noexcept { gemm(call); }

}  // namespace slipway::SLIPWAY_ISA
