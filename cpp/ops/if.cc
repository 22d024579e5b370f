// If:  y = then_branch() if the condition is true, else else_branch().
//
// ONNX If, opsets 13 to 24. condition: bool, one element. Each branch makes as many outputs, of the same types; their
// shapes may differ. Only the branch that is taken runs.
#include <algorithm>

#include "ops/body.h"

namespace slipway {

namespace {

struct Branch {
  std::vector<Fact> given;
  std::vector<Fact> made;
};

// What the file states of a branch that cannot run with these shapes, as long as it is never taken. Exporters write
// such: a Squeeze of an axis that the condition has measured.
std::vector<Fact> stated_outputs(const Graph& body) {
  std::vector<Fact> out;
  for (const ValueId id : body.outputs)
    out.push_back({body.values[static_cast<std::size_t>(id)].fact.dtype, std::nullopt, nullptr});
  return out;
}

Branch infer_branch(const InferContext& context, std::string_view name) {
  const Graph& body = context.require_body(name);
  std::vector<Fact> given = with_captures(context, body, {});
  try {
    std::vector<Fact> made = outputs_of(body, infer_body(body, given));
    return {std::move(given), std::move(made)};
  } catch (const Error& error) {
    std::vector<Fact> made = stated_outputs(body);
    const bool has_types = std::all_of(made.begin(), made.end(), [](const Fact& f) { return f.dtype != DType::kNone; });
    if (error.code() != Code::kModel || !has_types) throw error.at(name);
    return {without_dims(given), std::move(made)};
  }
}

// What both branches agree in.
Fact common(const Fact& a, const Fact& b) {
  Fact out{a.dtype, std::nullopt, nullptr};
  if (!a.dims || !b.dims || a.dims->size() != b.dims->size()) return out;
  out.dims = a.dims;
  for (std::size_t axis = 0; axis < a.dims->size(); ++axis) {
    if (!(*a.dims)[axis].surely_equals((*b.dims)[axis])) (*out.dims)[axis] = Dim();
  }
  return out;
}

}  // namespace

void infer_if(InferContext& context) {
  context.allow_attributes({"then_branch", "else_branch"});
  if (context.node().own_inputs() != 1) context.reject("has ", context.node().own_inputs(), " inputs, expected 1");
  require_single(context.input(0), DType::kBool, "the condition");
  Branch then_branch = infer_branch(context, "then_branch");
  Branch else_branch = infer_branch(context, "else_branch");
  const std::vector<Fact>& yes = then_branch.made;
  const std::vector<Fact>& no = else_branch.made;
  if (yes.size() != no.size() || static_cast<int>(yes.size()) < context.output_count()) {
    context.reject("has ", context.output_count(), " outputs, its branches make ", yes.size(), " and ", no.size());
  }
  context.set_body_facts({std::move(else_branch.given), std::move(then_branch.given)});  // in order of name
  for (int i = 0; i < context.output_count(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    if (yes[k].dtype != no[k].dtype) {
      context.reject("output ", i, " is ", name_of(yes[k].dtype), " in one branch and ", name_of(no[k].dtype),
                     " in the other");
    }
    context.outputs()[k] = common(yes[k], no[k]);
  }
}

}  // namespace slipway
