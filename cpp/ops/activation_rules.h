// The activation at the end of a fused operator: how a node names it.
//
// Attribute `activation` is "relu", "leaky_relu", "sigmoid", "tanh", "hard_swish", "clip" or "silu".
// `activation_alpha` is the slope of "leaky_relu" (0.01 where it is absent) or the least value of "clip",
// `activation_beta` the largest of "clip" (infinities).
#pragma once

#include <functional>

#include "ops/activation_meaning.h"
#include "ops/op.h"

namespace slipway {

/// kNone where the node has no attribute `activation`; Error(kUnsupported) where it names another.
[[nodiscard]] ActivationCall read_activation(const NodeReader& node);

/// What a node of ONNX does to each number of its first input, where a fused operator can do it; else kNone.
/// `constant` gives the value of one of its inputs, or null.
[[nodiscard]] ActivationCall activation_of(const Node& node, const std::function<const Tensor*(ValueId)>& constant);

/// The attributes that read_activation() reads this from.
[[nodiscard]] Attributes attributes_of(const ActivationCall& activation);

}  // namespace slipway
