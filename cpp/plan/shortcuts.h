// What a step need not do, with the sizes of a run. The planner acts on it.
#pragma once

#include "graph/graph.h"
#include "ops/op.h"

namespace slipway {

/// True for a Slice or Expand that gives back its first input: a view then.
[[nodiscard]] bool gives_input(const PrepareContext& context);

/// True for a Slice that keeps the first rows and columns of what `maker`, a ConvTranspose, makes: it can make those
/// alone.
[[nodiscard]] bool keeps_beginnings(const PrepareContext& slice, const Node& maker);

/// True where `pool` reads nothing of what `pad` has put behind its input, so that it gives `pooled` of the input
/// itself.
[[nodiscard]] bool pads_in_vain(const PrepareContext& pad, const Node& pool, const Fact& input, const Shape& pooled);

}  // namespace slipway
