// Gemm:  Y = alpha * A' B' + beta * C,  A' is A or its transpose (transA), B' likewise (transB).
//
// ONNX Gemm 13 as in opsets 13 to 24. A': [M, K]; B': [K, N]; C: optional, broadcasts to [M, N]; Y: [M, N]; float32,
// float64.
#include "ops/gemm_rules.h"

namespace slipway {

void infer_gemm(InferContext& context) { infer_gemm_rule(context, false); }

std::shared_ptr<const void> prepare_gemm(PrepareContext& context) { return prepare_gemm_rule(context); }

namespace scalar {

void gemm(const OpCall& call) noexcept { multiply_add(call); }

}  // namespace scalar
}  // namespace slipway
