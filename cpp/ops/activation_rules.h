// The activation at the end of a fused operator: how a node names it.
//
// Attribute `activation` is "relu", "leaky_relu", "sigmoid" or "tanh"; `activation_alpha` is the slope of "leaky_relu".
#pragma once

#include "ops/activation_meaning.h"
#include "ops/op.h"

namespace slipway {

/// kNone where the node has no attribute `activation`; Error(kUnsupported) where it names another.
[[nodiscard]] ActivationCall read_activation(const NodeReader& node);

}  // namespace slipway
