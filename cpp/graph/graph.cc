#include "graph/graph.h"

#include <algorithm>

#include "base/error.h"

namespace slipway {

std::string text_of(const Dims& dims) {
  std::string out = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) out += concat(i > 0 ? ", " : "", dims[i].text());
  return out + "]";
}

Fact Fact::of(std::shared_ptr<const Tensor> constant) {
  Fact fact;
  fact.dtype = constant->dtype();
  fact.dims = Dims(constant->shape().sizes().begin(), constant->shape().sizes().end());
  fact.constant = std::move(constant);
  return fact;
}

bool Fact::is_concrete() const noexcept {
  return dims && std::all_of(dims->begin(), dims->end(), [](const Dim& dim) { return dim.is_known(); });
}

Shape Fact::shape() const {
  Shape::require_rank(dims->size());
  Shape shape;
  for (const Dim& dim : *dims) shape.push_back(dim.value());
  return shape;
}

std::string Fact::text() const {
  return concat(name_of(dtype), " ", dims ? text_of(*dims) : "[...]", constant ? " constant" : "");
}

std::string Node::title() const { return concat(op, " ", quote(name)); }

std::vector<std::pair<std::string, std::shared_ptr<const Graph>>> Node::bodies() const {
  std::vector<std::pair<std::string, std::shared_ptr<const Graph>>> out;
  for (const auto& [key, value] : attributes) {
    if (const auto* body = std::get_if<std::shared_ptr<const Graph>>(&value)) out.emplace_back(key, *body);
  }
  return out;
}

void Graph::check() const {
  std::vector<bool> made(values.size(), false);
  const auto in_range = [&](ValueId id) { return id >= 0 && static_cast<std::size_t>(id) < values.size(); };
  for (std::size_t i = 0; i < values.size(); ++i) made[i] = values[i].fact.constant != nullptr;
  for (const ValueId id : inputs) made[static_cast<std::size_t>(id)] = true;
  for (const Node& node : nodes) {
    for (const ValueId id : node.inputs) {
      if (id == kNoValue) continue;
      if (!in_range(id) || !made[static_cast<std::size_t>(id)]) {
        fail(Code::kModel, node.title(), ": reads value ",
             in_range(id) ? quote(values[static_cast<std::size_t>(id)].name) : "?", ", which no node before it makes");
      }
    }
    for (const ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      if (!in_range(id) || made[static_cast<std::size_t>(id)]) {
        fail(Code::kModel, node.title(), ": makes value ",
             in_range(id) ? quote(values[static_cast<std::size_t>(id)].name) : "?", ", which is already there");
      }
      made[static_cast<std::size_t>(id)] = true;
    }
  }
  for (const ValueId id : outputs) {
    if (!in_range(id) || !made[static_cast<std::size_t>(id)]) {
      fail(Code::kModel, "graph output ", in_range(id) ? quote(values[static_cast<std::size_t>(id)].name) : "?",
           " is made by no node");
    }
  }
}

}  // namespace slipway
