// One operator alone, without a graph: for slipway.ops, the operators' tests, and constant folding.
#pragma once

#include <span>
#include <vector>

#include "ops/op.h"

namespace slipway {

/// Infers, prepares and runs one node whose row is set. Absent inputs are views of type kNone; outputs whose id in
/// node.outputs is kNoValue are not computed and come back empty. Integer inputs count as constants, so that shapes
/// may depend on them; `all_constant` makes every input one (as weights in a graph are). Throws Error as a session
/// would.
[[nodiscard]] std::vector<Tensor> run_single(const Node& node, std::span<const TensorView> inputs, Isa isa,
                                             ThreadPool* pool, bool all_constant = false);

}  // namespace slipway
