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

/// The nodes from `linear` to `last`, and one between them or -1, become one.
void fuse(Sweep& sweep, int linear, int between, int last, const ActivationCall& call) {
  const Node& node = sweep.graph().nodes[static_cast<std::size_t>(linear)];
  const Node& activation = sweep.graph().nodes[static_cast<std::size_t>(last)];
  Node fused = copy_of(node);
  fused.op = node.op + "Activation";
  fused.domain = "slipway";
  for (auto& [name, value] : attributes_of(call)) fused.attributes.insert_or_assign(name, value);
  fused.outputs = {activation.outputs[0]};
  if (!sweep.accepts(fused)) return;
  for (const int each : {linear, between, last}) {
    if (each < 0) continue;
    sweep.claim({each});
    sweep.remove(each);
  }
  sweep.insert(linear, std::move(fused));
  sweep.note(activation.title(), " went into ", node.title());
}

void fuse_one(Sweep& sweep, int index) {
  const Node& node = sweep.graph().nodes[static_cast<std::size_t>(index)];
  const ActivationCall call = activation_of(node, [&](ValueId id) { return sweep.constant(id); });
  if (call.kind == Activation::kNone) return;
  const int linear = sweep.sole_maker(node.inputs[0], {"Conv", "Gemm"});
  if (linear >= 0 && sweep.is_free({index, linear})) fuse(sweep, linear, -1, index, call);
}

/// x * Sigmoid(x).
void fuse_silu(Sweep& sweep, int index) {
  const Node& node = sweep.graph().nodes[static_cast<std::size_t>(index)];
  if (node.op != "Mul" || !node.domain.empty()) return;
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    const int sigmoid = sweep.sole_maker(node.inputs[1 - i], {"Sigmoid"});
    const int linear = sweep.sole_maker(node.inputs[i], {"Conv", "Gemm"}, 2);
    if (sigmoid < 0 || linear < 0 || !sweep.is_free({index, sigmoid, linear})) continue;
    if (sweep.graph().nodes[static_cast<std::size_t>(sigmoid)].inputs[0] != node.inputs[i]) continue;
    return fuse(sweep, linear, sigmoid, index, {.kind = Activation::kSilu});
  }
}

}  // namespace

Rewrite fuse_activation(const Graph& graph) {
  Sweep sweep(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    try {
      fuse_one(sweep, static_cast<int>(i));
      fuse_silu(sweep, static_cast<int>(i));
    } catch (const Error& error) {
      throw error.at(graph.nodes[i].title());
    }
  }
  return sweep.finish();
}

}  // namespace slipway
