// One operator alone, without a graph: for slipway.ops, the operators' tests, and constant folding.
#pragma once

#include <span>
#include <vector>

#include "base/outputs.h"
#include "ops/op.h"

namespace slipway {

/// Infers, prepares and runs one node whose row is set. Absent inputs are views of type kNone; outputs whose id in
/// node.outputs is kNoValue are not computed and come back empty. Integer inputs count as constants, so that shapes
/// may depend on them; `all_constant` makes every input one (as weights in a graph are). Inputs and results lie in the
/// host's memory, on whatever device the kernel runs. Throws Error without the node's title, and Error(kLimit) where
/// the counted operations are more than *flops_left, from which they are taken.
[[nodiscard]] std::vector<Tensor> run_single(const Node& node, std::span<const TensorView> inputs, const Target& target,
                                             ThreadPool* pool, bool all_constant = false,
                                             int64_t* flops_left = nullptr);

/// The same on arrays of target.device, with the results in memory of the device that `outputs` gives, in order of the
/// stream. Only inputs whose values decide shapes are read by the host.
void run_single_on_device(const Node& node, std::span<const TensorView> inputs, const Target& target, void* stream,
                          Outputs& outputs);

}  // namespace slipway
