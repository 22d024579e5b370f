#include "passes/infer_facts.h"

#include <utility>

#include "base/error.h"
#include "ops/op.h"

namespace slipway {

namespace {

// What the file declares of a value is kept where inference knows less.
void merge(Fact& known, Fact made) {
  if (!made.dims) {
    made.dims = known.dims;
  } else if (known.dims && known.dims->size() == made.dims->size()) {
    for (std::size_t axis = 0; axis < made.dims->size(); ++axis) {
      Dim& dim = (*made.dims)[axis];
      if (!dim.is_known() && dim.symbol().empty()) dim = (*known.dims)[axis];
    }
  }
  known = std::move(made);
}

}  // namespace

void infer_facts(Graph& graph) {
  for (const Node& node : graph.nodes) {
    try {
      std::vector<const Fact*> inputs;
      for (const ValueId id : node.inputs) inputs.push_back(id == kNoValue ? nullptr : &graph.values[static_cast<std::size_t>(id)].fact);
      InferContext context(node, inputs);
      node.row->infer(context);
      for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        if (node.outputs[i] != kNoValue) merge(graph.values[static_cast<std::size_t>(node.outputs[i])].fact, std::move(context.outputs()[i]));
      }
    } catch (const Error& error) {
      throw error.at(node.title());
    }
  }
}

}  // namespace slipway
