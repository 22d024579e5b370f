// What prepares a transposed convolution beside its shapes.
#pragma once

#include <memory>

#include "ops/conv_transpose.h"
#include "ops/op.h"
#include "ops/window_rules.h"

namespace slipway {

struct OwnedTransposeCall final : TransposeCall {
  TransposePhases how;
  std::shared_ptr<const Tensor> weights;
  std::vector<int32_t> offsets;
};

/// `window` of a TransposeCall, for a node with these rules.
[[nodiscard]] Window transposed_window(const NodeReader& node, const WindowRules& rules, const Shape& x,
                                       const Shape& y);

/// True where zeros beside the input add nothing to what it makes with these weights.
[[nodiscard]] bool is_finite(const Tensor& weights);

/// Decides for phases (conv_transpose_phases.h) where they can be had: constant, finite float32 weights, two spatial
/// axes, and not too many places in vain. Sets scratch_bytes then.
void plan_phases(OwnedTransposeCall& call, PrepareContext& context);

}  // namespace slipway
