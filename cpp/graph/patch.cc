#include "graph/patch.h"

#include <algorithm>

namespace slipway {

void apply(Graph& graph, Patch patch) {
  for (Value& value : patch.values) graph.values.push_back(std::move(value));
  for (auto& [id, fact] : patch.facts) graph.values[static_cast<std::size_t>(id)].fact = std::move(fact);

  std::vector<bool> removed(graph.nodes.size(), false);
  for (const std::size_t index : patch.remove) removed[index] = true;
  std::stable_sort(patch.insert.begin(), patch.insert.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Node> nodes;
  auto next = patch.insert.begin();
  for (std::size_t i = 0; i <= graph.nodes.size(); ++i) {
    for (; next != patch.insert.end() && next->first == i; ++next) nodes.push_back(std::move(next->second));
    if (i < graph.nodes.size() && !removed[i]) nodes.push_back(std::move(graph.nodes[i]));
  }
  graph.nodes = std::move(nodes);

  for (const auto& [from, to] : patch.redirect) {
    for (Node& node : graph.nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
    std::replace(graph.outputs.begin(), graph.outputs.end(), from, to);
  }
}

std::vector<int> count_readers(const Graph& graph) {
  std::vector<int> readers(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) ++readers[static_cast<std::size_t>(id)];
    }
  }
  for (const ValueId id : graph.outputs) ++readers[static_cast<std::size_t>(id)];
  return readers;
}

std::vector<int> find_makers(const Graph& graph) {
  std::vector<int> makers(graph.values.size(), -1);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const ValueId id : graph.nodes[i].outputs) {
      if (id != kNoValue) makers[static_cast<std::size_t>(id)] = static_cast<int>(i);
    }
  }
  return makers;
}

}  // namespace slipway
