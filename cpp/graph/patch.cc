#include "graph/patch.h"

#include <algorithm>

namespace slipway {

namespace {

// Redirects are followed to their end, so that a chain of removed nodes goes at once; one walk over the graph serves
// all of them.
void redirect(Graph& graph, const std::vector<std::pair<ValueId, ValueId>>& redirects) {
  if (redirects.empty()) return;
  std::vector<ValueId> target(graph.values.size(), kNoValue);
  for (const auto& [from, to] : redirects) target[static_cast<std::size_t>(from)] = to;
  const auto follow = [&](ValueId& id) {
    if (id == kNoValue) return;
    ValueId end = id;
    while (target[static_cast<std::size_t>(end)] != kNoValue) end = target[static_cast<std::size_t>(end)];
    // What was passed on the way leads to the end from now on: no chain is walked twice.
    while (id != end) {
      const ValueId next = target[static_cast<std::size_t>(id)];
      target[static_cast<std::size_t>(id)] = end;
      id = next;
    }
  };
  for (Node& node : graph.nodes) std::for_each(node.inputs.begin(), node.inputs.end(), follow);
  std::for_each(graph.outputs.begin(), graph.outputs.end(), follow);
}

void change_nodes(Graph& graph, Patch& patch) {
  if (patch.remove.empty() && patch.insert.empty()) return;
  std::vector<bool> removed(graph.nodes.size(), false);
  for (const std::size_t index : patch.remove) removed[index] = true;
  std::stable_sort(patch.insert.begin(), patch.insert.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Node> nodes;
  nodes.reserve(graph.nodes.size() + patch.insert.size());
  auto next = patch.insert.begin();
  for (std::size_t i = 0; i <= graph.nodes.size(); ++i) {
    for (; next != patch.insert.end() && next->first == i; ++next) nodes.push_back(std::move(next->second));
    if (i < graph.nodes.size() && !removed[i]) nodes.push_back(std::move(graph.nodes[i]));
  }
  graph.nodes = std::move(nodes);
}

}  // namespace

void apply(Graph& graph, Patch patch) {
  for (Value& value : patch.values) graph.values.push_back(std::move(value));
  for (auto& [id, fact] : patch.facts) graph.values[static_cast<std::size_t>(id)].fact = std::move(fact);
  change_nodes(graph, patch);
  redirect(graph, patch.redirect);
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
