// Conv or Gemm and the activation after it become one node of domain slipway: ConvActivation, GemmActivation.
//
// 1. Nobody else reads what the Conv or Gemm makes; otherwise nothing is done.
// 2. The activation is one that fused operators know (ops/activation_rules.h), a Clip one whose bounds are constant;
// the
//    fused node keeps all attributes, and those of attributes_of() say what follows.
// 3. Where the table has no such fused operator, or it does not take these types, nothing is done.
#include "ops/activation_rules.h"
#include "passes/sweep.h"

namespace slipway {

namespace {

void fuse(Sweep& sweep, int index, const ActivationCall& call) {
  const Node& activation = sweep.graph().nodes[static_cast<std::size_t>(index)];
  const int maker = sweep.sole_maker(activation.inputs[0], {"Conv", "Gemm"});
  if (maker < 0 || !sweep.is_free({index, maker})) return;
  const Node& linear = sweep.graph().nodes[static_cast<std::size_t>(maker)];
  Node fused = copy_of(linear);
  fused.op = linear.op + "Activation";
  fused.domain = "slipway";
  for (auto& [name, value] : attributes_of(call)) fused.attributes.insert_or_assign(name, value);
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
    try {
      const ActivationCall call = activation_of(node, [&](ValueId id) { return sweep.constant(id); });
      if (call.kind != Activation::kNone) fuse(sweep, static_cast<int>(i), call);
    } catch (const Error& error) {
      throw error.at(node.title());
    }
  }
  return sweep.finish();
}

}  // namespace slipway
