// Reshape of a reshaped value reads the value itself.
//
// 1. The first is Reshape, Flatten, Squeeze or Unsqueeze; it may have other readers and goes away once it has none.
// 2. The second is a Reshape to a constant shape in which no 0 stands, since 0 copies a size of what it reads.
#include <algorithm>
#include <array>

#include "passes/sweep.h"

namespace slipway {

namespace {

bool is_view(const Node& node) {
  constexpr std::array<std::string_view, 4> kViews = {"Reshape", "Flatten", "Squeeze", "Unsqueeze"};
  return node.domain.empty() && std::find(kViews.begin(), kViews.end(), node.op) != kViews.end();
}

bool has_fixed_shape(const Sweep& sweep, const Node& node) {
  if (!node.domain.empty() || node.op != "Reshape" || node.inputs.size() != 2) return false;
  const Tensor* shape = sweep.constant(node.inputs[1]);
  if (shape == nullptr || shape->dtype() != DType::kInt64) return false;
  const auto* sizes = shape->as<int64_t>();
  return std::find(sizes, sizes + shape->shape().count(), 0) == sizes + shape->shape().count();
}

}  // namespace

Rewrite merge_reshape(const Graph& graph) {
  Sweep sweep(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (!has_fixed_shape(sweep, node)) continue;
    const int maker = sweep.maker(node.inputs[0]);
    if (maker < 0 || !is_view(graph.nodes[static_cast<std::size_t>(maker)])) continue;
    const Node& earlier = graph.nodes[static_cast<std::size_t>(maker)];
    Node merged = copy_of(node);
    merged.inputs[0] = earlier.inputs[0];
    if (!sweep.accepts(merged)) continue;
    sweep.remove(static_cast<int>(i));
    sweep.insert(static_cast<int>(i), std::move(merged));
    sweep.note(node.title(), " reads what ", earlier.title(), " reads");
  }
  return sweep.finish();
}

}  // namespace slipway
