// Removes nodes that give back their input 0 unchanged.
//
// 1. Identity; Dropout whose mask nobody reads (infer has refused training); Concat of one input.
// 2. Reshape, Flatten, Squeeze, Unsqueeze and Expand whose output surely has the input's shape.
// 3. Cast to the type that the value has; Transpose that keeps the order of axes; Pad and Tile by nothing; Slice that
//    keeps the shape with steps of 1.
// 4. A node that makes a graph output stays, unless its input is made by one node: then that node makes the output.
#include <algorithm>

#include "ops/op.h"
#include "passes/sweep.h"

namespace slipway {

namespace {

bool all_elements_are(const Tensor* tensor, int64_t wanted) {
  if (tensor == nullptr) return false;
  const auto count = static_cast<std::size_t>(tensor->shape().count());
  const auto equals = [&](auto value) { return static_cast<int64_t>(value) == wanted; };
  if (tensor->dtype() == DType::kInt64)
    return std::all_of(tensor->as<int64_t>(), tensor->as<int64_t>() + count, equals);
  if (tensor->dtype() == DType::kInt32)
    return std::all_of(tensor->as<int32_t>(), tensor->as<int32_t>() + count, equals);
  return false;
}

ValueId input_of(const Node& node, std::size_t i) { return i < node.inputs.size() ? node.inputs[i] : kNoValue; }

bool keeps_order(const Sweep& sweep, const Node& node) {
  const Fact& x = sweep.fact(node.inputs[0]);
  if (x.dims && x.dims->size() < 2) return true;
  const std::vector<int64_t> order = NodeReader(node).get_ints("perm");
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] != static_cast<int64_t>(i)) return false;
  }
  return !order.empty();
}

bool gives_input(const Sweep& sweep, const Node& node) {
  if (!node.domain.empty() || node.inputs.empty() || node.inputs[0] == kNoValue) return false;
  const auto wanted =
      std::count_if(node.outputs.begin(), node.outputs.end(), [](ValueId id) { return id != kNoValue; });
  if (wanted != 1 || node.outputs[0] == kNoValue) return false;
  const Fact& x = sweep.fact(node.inputs[0]);
  const Fact& y = sweep.fact(node.outputs[0]);
  const std::string_view op = node.op;
  if (op == "Identity" || op == "Dropout") return true;
  if (op == "Concat") return node.inputs.size() == 1;
  if (op == "Reshape" || op == "Flatten" || op == "Squeeze" || op == "Unsqueeze" || op == "Expand") {
    return same_dims(x, y);
  }
  if (op == "Cast") return x.dtype == y.dtype;
  if (op == "Transpose") return keeps_order(sweep, node);
  if (op == "Pad") return all_elements_are(sweep.constant(input_of(node, 1)), 0);
  if (op == "Tile") return all_elements_are(sweep.constant(input_of(node, 1)), 1);
  if (op == "Slice") {
    const ValueId steps = input_of(node, 4);
    return same_dims(x, y) && (steps == kNoValue || all_elements_are(sweep.constant(steps), 1));
  }
  return false;
}

// Case 4: the node before makes the graph output itself.
bool remove_at_output(Sweep& sweep, int index, const Node& node) {
  const ValueId x = node.inputs[0];
  const ValueId y = node.outputs[0];
  const int maker = sweep.maker(x);
  if (maker < 0 || sweep.is_graph_output(x) || !sweep.is_free({index, maker})) return false;
  Node earlier = copy_of(sweep.graph().nodes[static_cast<std::size_t>(maker)]);
  std::replace(earlier.outputs.begin(), earlier.outputs.end(), x, y);
  sweep.claim({index, maker});
  sweep.remove(index);
  sweep.remove(maker);
  sweep.insert(maker, std::move(earlier));
  sweep.redirect(x, y);
  sweep.set_fact(y, sweep.fact(x));
  return true;
}

}  // namespace

Rewrite remove_identity(const Graph& graph) {
  Sweep sweep(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const auto index = static_cast<int>(i);
    if (!sweep.is_free({index}) || !gives_input(sweep, node)) continue;
    if (sweep.is_graph_output(node.outputs[0])) {
      if (!remove_at_output(sweep, index, node)) continue;
    } else {
      sweep.claim({index});
      sweep.remove(index);
      sweep.redirect(node.outputs[0], node.inputs[0]);
    }
    sweep.note(node.title(), " gives back its input");
  }
  return sweep.finish();
}

}  // namespace slipway
