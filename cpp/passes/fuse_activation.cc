// Conv or Gemm and the activation after it become one node of domain slipway: ConvActivation, GemmActivation.
//
// 1. Nobody else reads what the Conv or Gemm makes; otherwise nothing is done.
// 2. Relu, Sigmoid, Tanh and LeakyRelu are known; the fused node keeps all attributes, and `activation` and
//    `activation_alpha` say what follows.
// 3. Where the table has no such fused operator, or it does not take these types, nothing is done.
#include <algorithm>

#include "passes/sweep.h"

namespace slipway {

namespace {

struct Name {
  std::string_view onnx;
  std::string_view fused;
};
constexpr Name kActivations[] = {
    {"Relu", "relu"}, {"Sigmoid", "sigmoid"}, {"Tanh", "tanh"}, {"LeakyRelu", "leaky_relu"}};

void fuse(Sweep& sweep, int index, const Name& name) {
  const Node& activation = sweep.graph().nodes[static_cast<std::size_t>(index)];
  const int maker = sweep.sole_maker(activation.inputs[0], {"Conv", "Gemm"});
  if (maker < 0 || !sweep.is_free({index, maker})) return;
  const Node& linear = sweep.graph().nodes[static_cast<std::size_t>(maker)];
  Node fused = copy_of(linear);
  fused.op = linear.op + "Activation";
  fused.domain = "slipway";
  fused.attributes.insert_or_assign("activation", std::string(name.fused));
  // 0.01 is what LeakyRelu takes where it states none (ONNX LeakyRelu 6).
  if (name.onnx == "LeakyRelu") {
    fused.attributes.insert_or_assign("activation_alpha", float_attribute(activation, "alpha", 0.01F));
  }
  fused.outputs = {activation.outputs[0]};
  if (!sweep.accepts(fused)) return;
  sweep.claim({index, maker});
  sweep.remove(index);
  sweep.remove(maker);
  sweep.insert(maker, std::move(fused));
  sweep.note(activation.title(), " went into ", linear.title());
}

}  // namespace

Rewrite fuse_activation(const Graph& graph) {
  Sweep sweep(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (!node.domain.empty()) continue;
    const auto* name = std::find_if(std::begin(kActivations), std::end(kActivations),
                                    [&](const Name& known) { return known.onnx == node.op; });
    if (name != std::end(kActivations)) fuse(sweep, static_cast<int>(i), *name);
  }
  return sweep.finish();
}

}  // namespace slipway
