#include "passes/pipeline.h"

#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"
#include "passes/bodies.h"
#include "passes/pass.h"
#include "passes/round_weights.h"

namespace slipway {

namespace {

template <Rewrite (*kRun)(const Graph&)>
Rewrite plain(const Graph& graph, FoldBudget&) {
  return kRun(graph);
}

constexpr Pass kPasses[] = {
    {"update_facts", &plain<&update_facts>},
    {"fold_constants", &fold_constants},
    {"remove_identity", &plain<&remove_identity>},
    {"merge_reshape", &plain<&merge_reshape>},
    {"make_gemm", &plain<&make_gemm>},
    {"fold_batchnorm", &plain<&fold_batchnorm>},
    {"fuse_activation", &plain<&fuse_activation>},
    {"fold_embedding", &plain<&fold_embedding>},
    {"remove_dead", &plain<&remove_dead>},
};

// Models settle in two or three rounds; a bound keeps a hostile one from taking time without end.
constexpr int kMaxRounds = 16;

/// True where the rewrite changed something.
bool take(Graph& graph, std::string_view pass, Rewrite rewrite, int round, std::vector<PassRecord>* log) {
  if (rewrite.patch.is_empty()) return false;
  apply(graph, std::move(rewrite.patch));
  try {
    graph.check();
  } catch (const Error& error) {
    throw error.at(concat("after pass ", pass));
  }
  const bool changed = !rewrite.notes.empty();
  if (changed && log != nullptr) log->push_back({round, std::string(pass), std::move(rewrite.notes)});
  return changed;
}

// Rounds until none changes anything, counted on from `round`. The last one ends where every pass has seen the graph as
// it is.
void run_rounds(Graph& graph, int& round, std::vector<PassRecord>* log, FoldBudget& budget) {
  const int last = round + kMaxRounds;
  std::size_t content = 0;  // passes in a row that want nothing changed
  bool changed = true;
  while (changed && round < last) {
    ++round;
    changed = false;
    for (const Pass& pass : kPasses) {
      check_interrupt();
      Rewrite rewrite = pass.run(graph, budget);
      content = rewrite.patch.is_empty() ? content + 1 : 0;
      if (content == std::size(kPasses)) return;
      changed = take(graph, pass.name, std::move(rewrite), round, log) || changed;
    }
  }
}

}  // namespace

Graph run_pipeline(Graph graph, std::vector<PassRecord>* log, Precision precision, bool is_for_cuda) {
  FoldBudget budget;
  return run_pipeline(std::move(graph), log, precision, is_for_cuda, budget);
}

// Bodies come when all is known that the graph around them knows, and only once: a graph at any depth is then improved
// once, however deep it stands.
Graph run_pipeline(Graph graph, std::vector<PassRecord>* log, Precision precision, bool is_for_cuda,
                   FoldBudget& budget) {
  int round = 0;
  run_rounds(graph, round, log, budget);
  Patch patch = improve_bodies(graph, log, precision, budget);
  if (!patch.is_empty()) {
    apply(graph, std::move(patch));
    graph.check();
    run_rounds(graph, round, log, budget);
  }
  ++round;
  take(graph, "round_weights", round_weights(graph, precision), round, log);
  take(graph, "group_network", group_network(graph, is_for_cuda), round, log);
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
