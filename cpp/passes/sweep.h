// What the rewrites share: questions about the graph, and a patch that grows match by match.
#pragma once

#include <initializer_list>
#include <span>

#include "base/error.h"
#include "passes/pass.h"

namespace slipway {

class Sweep final {
 public:
  explicit Sweep(const Graph& graph);

  [[nodiscard]] const Graph& graph() const noexcept { return graph_; }
  [[nodiscard]] const Fact& fact(ValueId id) const { return graph_.values[static_cast<std::size_t>(id)].fact; }
  [[nodiscard]] const std::string& name(ValueId id) const { return graph_.values[static_cast<std::size_t>(id)].name; }
  /// Null where the value is absent or not constant.
  [[nodiscard]] const Tensor* constant(ValueId id) const { return id == kNoValue ? nullptr : fact(id).constant.get(); }
  /// Index of the node that makes the value, or -1.
  [[nodiscard]] int maker(ValueId id) const;
  [[nodiscard]] bool is_graph_output(ValueId id) const { return is_output_[static_cast<std::size_t>(id)]; }
  /// Index of the node of one of these operators (domain "") whose output 0, and only one, is this value, where it is
  /// read so often and no graph output; else -1.
  [[nodiscard]] int sole_maker(ValueId id, std::initializer_list<std::string_view> ops, int readers = 1) const;

  /// False where a match of this sweep has one of these nodes already; then the next sweep sees it.
  [[nodiscard]] bool is_free(std::initializer_list<int> nodes) const;
  void claim(std::initializer_list<int> nodes);

  /// A value that comes with the patch; its id.
  [[nodiscard]] ValueId add_constant(std::string name, Tensor tensor);
  /// True where the table has the node's operator, it accepts these inputs, and its outputs have the types and ranks
  /// that the graph knows of them. Sets node.row.
  [[nodiscard]] bool accepts(Node& node) const;

  void remove(int node) { rewrite_.patch.remove.push_back(static_cast<std::size_t>(node)); }
  /// Puts `node` where the node of that index was or is.
  void insert(int before, Node node) {
    rewrite_.patch.insert.emplace_back(static_cast<std::size_t>(before), std::move(node));
  }
  void redirect(ValueId from, ValueId to) { rewrite_.patch.redirect.emplace_back(from, to); }
  void set_fact(ValueId id, Fact fact) { rewrite_.patch.facts.emplace_back(id, std::move(fact)); }
  template <typename... Parts>
  void note(const Parts&... parts) {
    rewrite_.notes.push_back(concat(parts...));
  }

  [[nodiscard]] Rewrite finish() { return std::move(rewrite_); }

 private:
  [[nodiscard]] int reader_count(ValueId id) const;

  const Graph& graph_;
  mutable std::vector<int> makers_;   // made when first asked for: most sweeps end before
  mutable std::vector<int> readers_;  // the same
  std::vector<bool> is_output_;
  std::vector<bool> claimed_;
  Rewrite rewrite_;
};

/// A copy of a node with a cache of its own, since what is cached belongs to a node's constants.
[[nodiscard]] Node copy_of(const Node& node);
/// An attribute, or `otherwise` where it is absent. One of another kind, which infer may not have looked at, is an
/// Error with the node's title.
[[nodiscard]] int64_t int_attribute(const Node& node, std::string_view name, int64_t otherwise);
[[nodiscard]] float float_attribute(const Node& node, std::string_view name, float otherwise);
/// True where both shapes are known and surely the same.
[[nodiscard]] bool same_dims(const Fact& a, const Fact& b);

}  // namespace slipway
