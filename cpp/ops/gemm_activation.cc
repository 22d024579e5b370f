// GemmActivation:  Y = f(Gemm(A, B, C)), made by the passes; no ONNX file holds it.
//
// Domain slipway. Inputs, attributes and types of Gemm; `activation` and `activation_alpha` name f
// (activation_rules.h); `alpha` and `beta` are Gemm's.
#include "ops/gemm_rules.h"

namespace slipway {

void infer_gemm_activation(InferContext& context) { infer_gemm_rule(context, true); }

std::shared_ptr<const void> prepare_gemm_activation(PrepareContext& context) { return prepare_gemm_rule(context); }

namespace scalar {

void gemm_activation(const OpCall& call) noexcept { multiply_add(call); }

}  // namespace scalar
}  // namespace slipway
