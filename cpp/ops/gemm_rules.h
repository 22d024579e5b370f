// What Gemm and GemmActivation allow, and their preparation.
#pragma once

#include <memory>

#include "ops/gemm.h"
#include "ops/op.h"

namespace slipway {

/// The shape rule; `fused` allows (and asks for) the attribute `activation`.
void infer_gemm_rule(InferContext& context, bool fused);

/// A GemmCall. For float32 on a vector column a constant B is packed once; one that is not gets scratch for its panels.
[[nodiscard]] std::shared_ptr<const void> prepare_gemm_rule(PrepareContext& context);

}  // namespace slipway
