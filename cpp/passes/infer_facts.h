// Facts of every value, from the facts of the inputs: what each op's infer says, in order.
#pragma once

#include "graph/graph.h"

namespace slipway {

/// Sets the facts of all values that nodes make, dimensions as symbols where they are not known. Every operator thereby
/// checks its attributes, types and ranks. Throws Error with the node's title. Rows must be resolved.
void infer_facts(Graph& graph);

}  // namespace slipway
