// Removes what nobody reads.
//
// 1. Nodes from which no path leads to a graph output.
// 2. Optional outputs that nobody reads, of operators that then compute less (all steps of a GRU, a mask).
// 3. Constants without readers: their memory is given back.
#include <algorithm>
#include <array>

#include "passes/sweep.h"

namespace slipway {

namespace {

// Operators all of whose outputs ONNX calls optional, or all but the first.
bool has_optional_outputs(const Node& node) {
  constexpr std::array<std::string_view, 6> kOps = {"Dropout", "GRU", "LSTM", "LayerNormalization", "MaxPool", "RNN"};
  return node.domain.empty() && std::find(kOps.begin(), kOps.end(), node.op) != kOps.end();
}

bool first_is_optional(const Node& node) { return node.op == "GRU" || node.op == "LSTM" || node.op == "RNN"; }

// Case 2.
void drop_outputs(Sweep& sweep, int index, const Node& node, const std::vector<bool>& is_read) {
  Node fewer = copy_of(node);
  int dropped = 0;
  for (std::size_t k = first_is_optional(node) ? 0 : 1; k < fewer.outputs.size(); ++k) {
    ValueId& id = fewer.outputs[k];
    if (id == kNoValue || is_read[static_cast<std::size_t>(id)]) continue;
    id = kNoValue;
    ++dropped;
  }
  if (dropped == 0) return;
  while (fewer.outputs.back() == kNoValue) fewer.outputs.pop_back();
  sweep.remove(index);
  sweep.insert(index, std::move(fewer));
  sweep.note(node.title(), " no longer makes ", dropped, dropped == 1 ? " output" : " outputs");
}

}  // namespace

Rewrite remove_dead(const Graph& graph) {
  Sweep sweep(graph);
  std::vector<bool> is_read(graph.values.size(), false);
  for (const ValueId id : graph.outputs) is_read[static_cast<std::size_t>(id)] = true;
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    const bool is_live = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
      return id != kNoValue && is_read[static_cast<std::size_t>(id)];
    });
    if (!is_live) {
      sweep.remove(static_cast<int>(i));
      sweep.note(node.title(), " has no readers");
      continue;
    }
    if (has_optional_outputs(node)) drop_outputs(sweep, static_cast<int>(i), node, is_read);
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) is_read[static_cast<std::size_t>(id)] = true;
    }
  }
  for (std::size_t id = 0; id < graph.values.size(); ++id) {
    const Fact& fact = graph.values[id].fact;
    if (!is_read[id] && fact.constant) sweep.set_fact(static_cast<ValueId>(id), {fact.dtype, fact.dims, nullptr});
  }
  return sweep.finish();
}

}  // namespace slipway
