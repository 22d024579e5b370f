// What Conv and ConvActivation allow, and their preparation.
#pragma once

#include <memory>

#include "ops/conv.h"
#include "ops/op.h"

namespace slipway {

/// The shape rule; `fused` allows (and asks for) the attribute `activation`.
void infer_convolution(InferContext& context, bool fused);

/// A ConvCall. For float32 on a vector column and constant weights, every group's weights [M, K] are packed once: for
/// each block of kGemmDepth terms the tiles of all M rows.
[[nodiscard]] std::shared_ptr<const void> prepare_convolution(PrepareContext& context);

}  // namespace slipway
