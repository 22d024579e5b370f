#include "ops/body.h"

#include <algorithm>

namespace slipway {

namespace {

void check_stated(const Value& value, DType got) {
  if (got == DType::kNone) fail(Code::kModel, "the type of value ", quote(value.name), " does not follow");
  if (value.fact.dtype == DType::kNone || value.fact.dtype == got) return;
  fail(Code::kModel, "value ", quote(value.name), " has type ", name_of(got), ", but the model states ",
       name_of(value.fact.dtype));
}

void infer_node(const Graph& body, const Node& node, std::vector<Fact>& facts) {
  try {
    std::vector<const Fact*> inputs;
    for (const ValueId id : node.inputs)
      inputs.push_back(id == kNoValue ? nullptr : &facts[static_cast<std::size_t>(id)]);
    InferContext context(node, inputs);
    node.row->infer(context);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      const auto id = static_cast<std::size_t>(node.outputs[i]);
      check_stated(body.values[id], context.outputs()[i].dtype);
      facts[id] = std::move(context.outputs()[i]);
    }
  } catch (const Error& error) {
    throw error.at(node.title());
  }
}

}  // namespace

std::vector<Fact> infer_body(const Graph& body, std::span<const Fact> inputs) {
  std::vector<Fact> facts;
  for (const Value& value : body.values) facts.push_back(value.fact.constant ? value.fact : Fact{});
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto id = static_cast<std::size_t>(body.inputs[i]);
    check_stated(body.values[id], inputs[i].dtype);
    facts[id] = inputs[i];
  }
  for (const Node& node : body.nodes) infer_node(body, node, facts);
  return facts;
}

std::vector<Fact> outputs_of(const Graph& body, const std::vector<Fact>& facts) {
  std::vector<Fact> out;
  for (const ValueId id : body.outputs) {
    out.push_back(facts[static_cast<std::size_t>(id)]);
    out.back().constant.reset();
  }
  return out;
}

std::vector<Fact> with_captures(const InferContext& context, const Graph& body, std::vector<Fact> facts) {
  const int own = context.node().own_inputs();
  const auto expected = facts.size();
  for (int i = own; i < context.input_count(); ++i) facts.push_back(context.input(i));
  if (facts.size() != body.inputs.size()) {
    fail(Code::kModel, "its graph has ", body.inputs.size() - (facts.size() - expected), " inputs, expected ",
         expected);
  }
  return facts;
}

Fact step_input(const Graph& body, std::size_t input, DType dtype) {
  Fact fact{dtype, Dims{}, nullptr};
  if (input >= body.inputs.size()) return fact;
  const auto& stated = body.values[static_cast<std::size_t>(body.inputs[input])].fact.dims;
  if (stated && stated->size() == 1) fact.dims = Dims{1};
  return fact;
}

void require_single(const Fact& fact, DType dtype, std::string_view what) {
  if (fact.dtype != dtype) fail(Code::kModel, what, " has type ", name_of(fact.dtype), ", expected ", name_of(dtype));
  if (!fact.dims) return;
  const bool is_single = std::all_of(fact.dims->begin(), fact.dims->end(),
                                     [](const Dim& dim) { return !dim.is_known() || dim.value() == 1; });
  if (!is_single) fail(Code::kModel, what, " has shape ", text_of(*fact.dims), ", expected one element");
}

bool keep_dims(std::span<const Fact> enter, std::span<const Fact> leave) {
  bool keep = true;
  for (std::size_t i = 0; i < enter.size(); ++i) {
    if (enter[i].dtype != leave[i].dtype) {
      fail(Code::kModel, "state ", i, " enters its graph as ", name_of(enter[i].dtype), " and leaves it as ",
           name_of(leave[i].dtype));
    }
    keep = keep && enter[i].dims && leave[i].dims &&
           std::equal(enter[i].dims->begin(), enter[i].dims->end(), leave[i].dims->begin(), leave[i].dims->end(),
                      [](const Dim& a, const Dim& b) { return a.surely_equals(b); });
  }
  return keep;
}

std::vector<Fact> without_dims(std::span<const Fact> facts) {
  std::vector<Fact> out;
  for (const Fact& fact : facts) out.push_back({fact.dtype, std::nullopt, nullptr});
  return out;
}

}  // namespace slipway
