// The graphs inside nodes: what is known around them goes in, and the passes run on each of them once.
#pragma once

#include "passes/pass.h"
#include "passes/pipeline.h"

namespace slipway {

/// Runs the pipeline on every body. Captures that are constants become constants of the bodies, captures that no body
/// reads any more go away. Notes of the bodies' passes go to `log`, if given, under the title of their node.
[[nodiscard]] Patch improve_bodies(const Graph& graph, std::vector<PassRecord>* log, Precision precision,
                                   FoldBudget& budget);

}  // namespace slipway
