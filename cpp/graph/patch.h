// A patch: the only way to change a graph. A pass returns patches, the pipeline applies and checks them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace slipway {

struct Patch {
  /// Indices of nodes that go away.
  std::vector<std::size_t> remove;
  /// Nodes that come, each with the index of the node before which it stands.
  std::vector<std::pair<std::size_t, Node>> insert;
  /// Every reader of `first` (and the graph's outputs) reads `second` instead, or what that is redirected to. No
  /// value may lead back to itself.
  std::vector<std::pair<ValueId, ValueId>> redirect;
  /// Values that come; new nodes refer to them as values.size() + index here.
  std::vector<Value> values;
  /// Facts that become known of values already there (a folded constant).
  std::vector<std::pair<ValueId, Fact>> facts;

  [[nodiscard]] bool is_empty() const noexcept {
    return remove.empty() && insert.empty() && redirect.empty() && facts.empty();
  }
};

/// Applies one patch. The caller runs graph.check() afterwards.
void apply(Graph& graph, Patch patch);

/// How many nodes and graph outputs read each value.
[[nodiscard]] std::vector<int> count_readers(const Graph& graph);
/// Index of the node that makes each value, or -1.
[[nodiscard]] std::vector<int> find_makers(const Graph& graph);

}  // namespace slipway
