// Weights of reduced precision; not one of the passes that keep what a model computes.
#pragma once

#include "base/precision.h"
#include "passes/pass.h"

namespace slipway {

/// Gives every product, convolution and recurrent layer weights that `precision` can hold, where they are float32
/// constants. It runs once, when all folding is done, so that nothing is rounded twice. Kernels that keep such weights
/// in fewer bytes read them from the numbers themselves (ops/small_panels.h).
[[nodiscard]] Rewrite round_weights(const Graph& graph, Precision precision);

}  // namespace slipway
