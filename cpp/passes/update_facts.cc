// Facts of all values again, from those of inputs and constants alone.
//
// 1. What the file states of other values is forgotten, since rewrites may not rest on a claim that could be false.
// 2. A node whose outputs infer knows as constants (Shape of a known shape) goes away.
#include <algorithm>

#include "base/error.h"
#include "passes/infer_facts.h"
#include "passes/sweep.h"

namespace slipway {

namespace {

bool are_constants(const Node& node, const std::vector<Fact>& made) {
  for (std::size_t k = 0; k < node.outputs.size(); ++k) {
    if (node.outputs[k] != kNoValue && !made[k].constant) return false;
  }
  return true;
}

}  // namespace

Rewrite update_facts(const Graph& graph) {
  Sweep sweep(graph);
  std::vector<Fact> facts;
  facts.reserve(graph.values.size());
  for (const Value& value : graph.values) facts.push_back(value.fact);

  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    try {
      std::vector<Fact> made = infer_node(node, [&](ValueId id) { return &facts[static_cast<std::size_t>(id)]; });
      const bool is_constant = are_constants(node, made);
      for (std::size_t k = 0; k < node.outputs.size(); ++k) {
        if (node.outputs[k] == kNoValue) continue;
        if (!is_constant) made[k].constant.reset();
        Fact& known = facts[static_cast<std::size_t>(node.outputs[k])];
        if (made[k] == known) continue;
        known = made[k];
        sweep.set_fact(node.outputs[k], std::move(made[k]));
      }
      if (is_constant) {
        sweep.remove(static_cast<int>(i));
        sweep.note(node.title(), " is known");
      }
    } catch (const Error& error) {
      throw error.at(node.title());
    }
  }
  return sweep.finish();
}

}  // namespace slipway
