#include "passes/sweep.h"

#include <algorithm>

#include "ops/table.h"
#include "passes/infer_facts.h"

namespace slipway {

Sweep::Sweep(const Graph& graph)
    : graph_(graph), is_output_(graph.values.size(), false), claimed_(graph.nodes.size(), false) {
  for (const ValueId id : graph.outputs) is_output_[static_cast<std::size_t>(id)] = true;
}

int Sweep::maker(ValueId id) const {
  if (id == kNoValue) return -1;
  if (makers_.empty()) makers_ = find_makers(graph_);
  return makers_[static_cast<std::size_t>(id)];
}

int Sweep::reader_count(ValueId id) const {
  if (readers_.empty()) readers_ = count_readers(graph_);
  return readers_[static_cast<std::size_t>(id)];
}

int Sweep::sole_maker(ValueId id, std::initializer_list<std::string_view> ops, int readers) const {
  const int index = maker(id);
  if (index < 0) return -1;
  const Node& node = graph_.nodes[static_cast<std::size_t>(index)];
  const bool fits =
      reader_count(id) == readers && !is_graph_output(id) && node.domain.empty() && node.outputs.front() == id &&
      std::count_if(node.outputs.begin(), node.outputs.end(), [](ValueId o) { return o != kNoValue; }) == 1;
  return fits && std::find(ops.begin(), ops.end(), node.op) != ops.end() ? index : -1;
}

bool Sweep::is_free(std::initializer_list<int> nodes) const {
  return std::none_of(nodes.begin(), nodes.end(), [&](int i) { return claimed_[static_cast<std::size_t>(i)]; });
}

void Sweep::claim(std::initializer_list<int> nodes) {
  for (const int i : nodes) claimed_[static_cast<std::size_t>(i)] = true;
}

ValueId Sweep::add_constant(std::string name, Tensor tensor) {
  rewrite_.patch.values.push_back({std::move(name), Fact::of(std::make_shared<const Tensor>(std::move(tensor)))});
  return static_cast<ValueId>(graph_.values.size() + rewrite_.patch.values.size() - 1);
}

bool Sweep::accepts(Node& node) const {
  try {
    resolve(node);
    const std::vector<Fact> made = infer_node(node, [&](ValueId id) {
      const auto index = static_cast<std::size_t>(id);
      const std::size_t count = graph_.values.size();
      return index < count ? &graph_.values[index].fact : &rewrite_.patch.values[index - count].fact;
    });
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      const Fact& known = fact(node.outputs[i]);
      const bool same_rank = !made[i].dims || !known.dims || made[i].dims->size() == known.dims->size();
      if (made[i].dtype != known.dtype || !same_rank) return false;
    }
    return true;
  } catch (const Error&) {
    return false;  // the engine has no such operator, or not for these inputs: the graph stays as it is
  }
}

Node copy_of(const Node& node) {
  Node copy = node;
  copy.cache = std::make_shared<NodeCache>();
  return copy;
}

int64_t int_attribute(const Node& node, std::string_view name, int64_t otherwise) {
  try {
    return NodeReader(node).get_int(name, otherwise);
  } catch (const Error& error) {
    throw error.at(node.title());
  }
}

float float_attribute(const Node& node, std::string_view name, float otherwise) {
  try {
    return NodeReader(node).get_float(name, otherwise);
  } catch (const Error& error) {
    throw error.at(node.title());
  }
}

bool same_dims(const Fact& a, const Fact& b) {
  return a.dims && b.dims &&
         std::equal(a.dims->begin(), a.dims->end(), b.dims->begin(), b.dims->end(),
                    [](const Dim& x, const Dim& y) { return x.surely_equals(y); });
}

}  // namespace slipway
