// Facts inside the graphs of Loop, Scan and If, and the rules that the three share.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "ops/op.h"

namespace slipway {

/// Facts of every value of a body whose inputs have these facts. What the file states of other values is checked for
/// its types and else passed over. Throws Error with the title of the body's node.
[[nodiscard]] std::vector<Fact> infer_body(const Graph& body, std::span<const Fact> inputs);

/// Facts of the body's outputs, in their order, without constants.
[[nodiscard]] std::vector<Fact> outputs_of(const Graph& body, const std::vector<Fact>& facts);

/// `facts` of a body's own inputs, then those of the node's captures. Error(kModel) where the body has another number
/// of inputs.
[[nodiscard]] std::vector<Fact> with_captures(const InferContext& context, const Graph& body, std::vector<Fact> facts);

/// A number or truth value that changes from step to step: a scalar, or a list of one where the body states that.
[[nodiscard]] Fact step_input(const Graph& body, std::size_t input, DType dtype);

/// Refuses a fact that is not a scalar or a list of one, of that type; `what` is "the condition", ...
void require_single(const Fact& fact, DType dtype, std::string_view what);

/// Refuses states that leave the body with another type than they enter with. True where each surely keeps its
/// dimensions too.
[[nodiscard]] bool keep_dims(std::span<const Fact> enter, std::span<const Fact> leave);

/// The same facts without dimensions.
[[nodiscard]] std::vector<Fact> without_dims(std::span<const Fact> facts);

}  // namespace slipway
