// Facts of every value, from the facts of the inputs: what each op's infer says, in order.
#pragma once

#include <functional>
#include <vector>

#include "graph/graph.h"

namespace slipway {

/// What a node's row infers of its outputs; `fact_of` gives the fact of an input's value. Throws Error.
[[nodiscard]] std::vector<Fact> infer_node(const Node& node, const std::function<const Fact*(ValueId)>& fact_of);

/// Sets the facts of all values that nodes make, dimensions as symbols where they are not known. Every operator thereby
/// checks its attributes, types and ranks. Throws Error with the node's title. Rows must be resolved.
void infer_facts(Graph& graph);

}  // namespace slipway
