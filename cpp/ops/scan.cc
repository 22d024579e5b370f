// Scan:  for t = 0 .. T - 1:  states, rows = body(states, x[t]);
//        y = states at the end, and the rows of every step stacked.
//
// ONNX Scan, opsets 13 to 24. The first inputs are states, the last `num_scan_inputs` are sequences of equal length T
// along `scan_input_axes` (0 where absent), read from the end where `scan_input_directions` holds 1; rows are stacked
// along `scan_output_axes`, the last one first where `scan_output_directions` holds 1. States keep their type and
// shape. With T = 0 the states are given back as they came, and rows are stacked to a size of 0, other sizes that would
// not follow from a first step being 0 too.
#include "ops/scan.h"

#include "ops/body.h"

namespace slipway {

namespace {

std::vector<int64_t> list_of(const NodeReader& node, std::string_view name, std::size_t count) {
  std::vector<int64_t> list = node.get_ints(name, std::vector<int64_t>(count, 0));
  if (list.size() != count) fail(Code::kModel, "attribute ", name, " holds ", list.size(), ", expected ", count);
  return list;
}

std::vector<bool> directions_of(const NodeReader& node, std::string_view name, std::size_t count) {
  std::vector<bool> out;
  for (const int64_t direction : list_of(node, name, count)) {
    if (direction != 0 && direction != 1) fail(Code::kModel, "attribute ", name, " holds ", direction);
    out.push_back(direction == 1);
  }
  return out;
}

// One element of a sequence, and the sequence's length.
Fact element_of(const InferContext& context, const Fact& sequence, int64_t axis, Dim& length) {
  Fact fact{sequence.dtype, std::nullopt, nullptr};
  if (!sequence.dims) return fact;
  if (sequence.dims->empty()) context.reject("a sequence is a scalar");
  const int64_t at = context.normalise_axis(axis, static_cast<int64_t>(sequence.dims->size()));
  fact.dims = sequence.dims;
  fact.dims->erase(fact.dims->begin() + at);
  const Dim& size = (*sequence.dims)[static_cast<std::size_t>(at)];
  if (size.is_known() && length.is_known() && size.value() != length.value()) {
    context.reject("its sequences have lengths ", length.value(), " and ", size.value());
  }
  if (!length.is_known()) length = size;
  return fact;
}

Fact stacked(const InferContext& context, const Fact& row, int64_t axis, const Dim& length) {
  Fact fact{row.dtype, std::nullopt, nullptr};
  if (!row.dims) return fact;
  const int64_t at = context.normalise_axis(axis, static_cast<int64_t>(row.dims->size()) + 1);
  fact.dims = row.dims;
  fact.dims->insert(fact.dims->begin() + at, length);
  return fact;
}

}  // namespace

ScanRules scan_rules(const NodeReader& node) {
  const int own = node.node().own_inputs();
  const int64_t sequences = node.require_int("num_scan_inputs");
  if (sequences < 1 || sequences > own) {
    fail(Code::kModel, "attribute num_scan_inputs is ", sequences, ", expected 1 to ", own);
  }
  ScanRules rules;
  rules.states = static_cast<std::size_t>(own - sequences);
  rules.sequences = static_cast<std::size_t>(sequences);
  const std::size_t outputs = node.require_body("body").outputs.size();
  if (outputs < rules.states) {
    fail(Code::kModel, "its graph has ", outputs, " outputs, expected ", rules.states, " or more");
  }
  rules.input_axes = list_of(node, "scan_input_axes", rules.sequences);
  rules.input_reversed = directions_of(node, "scan_input_directions", rules.sequences);
  rules.output_axes = list_of(node, "scan_output_axes", outputs - rules.states);
  rules.output_reversed = directions_of(node, "scan_output_directions", outputs - rules.states);
  return rules;
}

void infer_scan(InferContext& context) {
  context.allow_attributes({"body", "num_scan_inputs", "scan_input_axes", "scan_input_directions", "scan_output_axes",
                            "scan_output_directions"});
  const ScanRules rules = scan_rules(context);
  const Graph& body = context.require_body("body");
  std::vector<Fact> given;
  for (std::size_t i = 0; i < rules.states; ++i) {
    given.push_back(context.input(static_cast<int>(i)));
    given.back().constant.reset();
  }
  Dim length;
  for (std::size_t i = 0; i < rules.sequences; ++i) {
    given.push_back(
        element_of(context, context.input(static_cast<int>(rules.states + i)), rules.input_axes[i], length));
  }
  const std::vector<Fact> inputs = with_captures(context, body, std::move(given));
  std::vector<Fact> made;
  try {
    made = outputs_of(body, infer_body(body, inputs));
  } catch (const Error& error) {
    throw error.at("body");
  }
  context.require_counts(0, context.input_count(), 1, static_cast<int>(made.size()));
  (void)keep_dims(std::span(inputs).first(rules.states), std::span(made).first(rules.states));
  context.set_body_facts({inputs});
  for (int i = 0; i < context.output_count(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    context.outputs()[k] = k < rules.states ? Fact{inputs[k].dtype, inputs[k].dims, nullptr}
                                            : stacked(context, made[k], rules.output_axes[k - rules.states], length);
  }
}

}  // namespace slipway
