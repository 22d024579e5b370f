// Loop:  for (i = 0; i < M and condition; ++i)  condition, states, rows = body(i, condition, states);
//        y = states at the end, and the rows of every step stacked along a new first axis.
//
// ONNX Loop, opsets 13 to 24. M: int64, one element, absent for no bound; condition: bool, one element, absent for
// true. States: any tensor; their type is fixed, their shapes may change from step to step. Rows must all have one
// shape. Without a step the states are given back as they came, and rows are stacked to [0, ...], sizes that would not
// follow from a first step being 0. A negative M means no step.
#include "ops/body.h"

namespace slipway {

namespace {

// What a step gives if all dimensions are those of the start.
std::vector<Fact> first_step(const InferContext& context, const Graph& body, const std::vector<Fact>& given) {
  try {
    return outputs_of(body, infer_body(body, with_captures(context, body, given)));
  } catch (const Error& error) {
    throw error.at("body");
  }
}

}  // namespace

void infer_loop(InferContext& context) {
  context.allow_attributes({"body"});
  const Graph& body = context.require_body("body");
  const int own = context.node().own_inputs();
  if (own < 2) context.reject("has ", own, " inputs, expected 2 or more");
  if (context.has_input(0)) require_single(context.input(0), DType::kInt64, "the number of steps");
  if (context.has_input(1)) require_single(context.input(1), DType::kBool, "the condition");

  std::vector<Fact> given{step_input(body, 0, DType::kInt64), step_input(body, 1, DType::kBool)};
  for (int i = 2; i < own; ++i) {
    given.push_back(context.input(i));
    given.back().constant.reset();
  }
  const std::size_t states = given.size() - 2;
  const std::vector<Fact> made = first_step(context, body, given);
  if (made.size() < 1 + states) {
    context.reject("its graph has ", made.size(), " outputs, expected ", 1 + states, " or more");
  }
  context.require_counts(0, context.input_count(), 1, static_cast<int>(made.size()) - 1);
  require_single(made[0], DType::kBool, "the condition that its graph makes");
  const std::span<const Fact> enter(given.begin() + 2, given.end());
  const bool keep = keep_dims(enter, std::span(made).subspan(1, states));

  std::vector<Fact> lasting{given[0], given[1]};
  for (const Fact& fact : keep ? std::vector<Fact>(enter.begin(), enter.end()) : without_dims(enter))
    lasting.push_back(fact);
  context.set_body_facts({with_captures(context, body, std::move(lasting))});
  for (int i = 0; i < context.output_count(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    const Fact& fact = made[1 + k];
    if (!keep || !fact.dims) {
      context.output_unknown(i, fact.dtype);
    } else if (k < states) {
      context.output(i, fact.dtype, *fact.dims);
    } else {
      Dims dims{Dim()};
      dims.insert(dims.end(), fact.dims->begin(), fact.dims->end());
      context.output(i, fact.dtype, std::move(dims));
    }
  }
}

}  // namespace slipway
