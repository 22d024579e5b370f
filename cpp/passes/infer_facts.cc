#include "passes/infer_facts.h"

#include <utility>

#include "base/error.h"
#include "ops/op.h"

namespace slipway {

namespace {

// What the file states of a value is kept where inference knows less.
void merge(Value& value, Fact made) {
  Fact& known = value.fact;
  if (made.dtype == DType::kNone) fail(Code::kModel, "the type of output ", quote(value.name), " does not follow");
  if (known.dtype != DType::kNone && known.dtype != made.dtype) {
    fail(Code::kModel, "makes output ", quote(value.name), " of type ", name_of(made.dtype), ", but the model states ",
         name_of(known.dtype));
  }
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

// The bodies' own facts, from those that the node gives to their inputs.
void infer_bodies(Node& node, const std::vector<std::vector<Fact>>& facts) {
  const auto bodies = node.bodies();
  for (std::size_t i = 0; i < facts.size(); ++i) {
    auto body = std::make_shared<Graph>(*bodies[i].second);
    for (std::size_t k = 0; k < facts[i].size(); ++k) {
      Fact& fact = body->values[static_cast<std::size_t>(body->inputs[k])].fact;
      fact = facts[i][k];
      fact.constant.reset();
    }
    try {
      infer_facts(*body);
    } catch (const Error& error) {
      throw error.at(bodies[i].first);
    }
    node.attributes.insert_or_assign(bodies[i].first, std::shared_ptr<const Graph>(std::move(body)));
  }
}

}  // namespace

std::vector<Fact> infer_node(const Node& node, const std::function<const Fact*(ValueId)>& fact_of) {
  std::vector<const Fact*> inputs;
  for (const ValueId id : node.inputs) inputs.push_back(id == kNoValue ? nullptr : fact_of(id));
  InferContext context(node, inputs);
  node.row->infer(context);
  return std::move(context.outputs());
}

void infer_facts(Graph& graph) {
  for (Node& node : graph.nodes) {
    try {
      std::vector<const Fact*> inputs;
      for (const ValueId id : node.inputs)
        inputs.push_back(id == kNoValue ? nullptr : &graph.values[static_cast<std::size_t>(id)].fact);
      InferContext context(node, inputs);
      node.row->infer(context);
      infer_bodies(node, context.body_facts());
      std::vector<Fact>& made = context.outputs();
      for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        if (node.outputs[i] != kNoValue)
          merge(graph.values[static_cast<std::size_t>(node.outputs[i])], std::move(made[i]));
      }
    } catch (const Error& error) {
      throw error.at(node.title());
    }
  }
}

}  // namespace slipway
