// The order of the passes, and the checks between them.
#pragma once

#include <string>
#include <vector>

#include "base/precision.h"
#include "graph/graph.h"
#include "passes/pass.h"

namespace slipway {

/// What one pass did in one round.
struct PassRecord {
  int round = 0;
  std::string pass;
  std::vector<std::string> notes;
};

/// Runs the passes until none finds anything. Rows must be resolved, and every node accept its inputs (infer_facts.h).
/// Graph inputs and outputs keep their place, name and meaning; an output may become an input or a constant. `log`, if
/// given, gets what each pass did.
///
/// With a reduced precision the weights are rounded in the end, so that results differ from those of the file. A CUDA
/// device groups more into networks than the processor does.
///
/// One symbol stands for one size: whoever runs the result must refuse inputs that give a symbol two. Throws Error.
[[nodiscard]] Graph run_pipeline(Graph graph, std::vector<PassRecord>* log = nullptr,
                                 Precision precision = Precision::kFloat32, bool is_for_cuda = false);

/// The same of a body: what folding costs is taken from the budget of the whole load.
[[nodiscard]] Graph run_pipeline(Graph graph, std::vector<PassRecord>* log, Precision precision, bool is_for_cuda,
                                 FoldBudget& budget);

/// The stable text form of a log (`slipway inspect --stage passes`).
[[nodiscard]] std::string text_of(const std::vector<PassRecord>& log);

}  // namespace slipway
