#include "passes/pipeline.h"

#include "base/error.h"
#include "passes/pass.h"

namespace slipway {

namespace {

constexpr Pass kPasses[] = {
    {"update_facts", &update_facts},       {"fold_constants", &fold_constants}, {"remove_identity", &remove_identity},
    {"merge_reshape", &merge_reshape},     {"make_gemm", &make_gemm},           {"fold_batchnorm", &fold_batchnorm},
    {"fuse_activation", &fuse_activation}, {"remove_dead", &remove_dead},
};

// Models settle in two or three rounds; a bound keeps a hostile one from taking time without end.
constexpr int kMaxRounds = 16;

/// True where the pass changed something.
bool run_pass(Graph& graph, const Pass& pass, int round, std::vector<PassRecord>* log) {
  Rewrite rewrite = pass.run(graph);
  if (rewrite.patch.is_empty()) return false;
  apply(graph, std::move(rewrite.patch));
  try {
    graph.check();
  } catch (const Error& error) {
    throw error.at(concat("after pass ", pass.name));
  }
  const bool changed = !rewrite.notes.empty();
  if (changed && log != nullptr) log->push_back({round, std::string(pass.name), std::move(rewrite.notes)});
  return changed;
}

}  // namespace

Graph run_pipeline(Graph graph, std::vector<PassRecord>* log) {
  bool changed = true;
  for (int round = 1; changed && round <= kMaxRounds; ++round) {
    changed = false;
    for (const Pass& pass : kPasses) changed = run_pass(graph, pass, round, log) || changed;
  }
  return graph;
}

std::string text_of(const std::vector<PassRecord>& log) {
  std::string out;
  for (const PassRecord& record : log) {
    out += concat("round ", record.round, ": ", record.pass, "\n");
    for (const std::string& note : record.notes) out += concat("  ", note, "\n");
  }
  return out.empty() ? "no pass found anything to do\n" : out;
}

}  // namespace slipway
