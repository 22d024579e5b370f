// Network:  convolutions, poolings and dense layers between two values, run as one. Made by the passes; no file holds
// it.
//
// Domain slipway. Inputs and outputs: float32 or float64, [N, C, H, W] or [N, C], those of the graph `body`, whose
// nodes treat every sample alike. The meaning is that of its nodes, one after the other; vector columns run a program
// (network_program.h) where they can make one. There, an infinity becomes NaN in the sums of tiles whose patch holds it
// (network_winograd.h), and inputs near the largest float32 may overflow.
#include "ops/network.h"

#include <cstring>

#include "ops/body.h"
#include "ops/network_cuda.h"
#include "ops/network_nodes.h"
#include "ops/network_program.h"
#include "ops/window_rules.h"

namespace slipway {

namespace {

struct OwnedNetworkCall final : NetworkCall {
  std::shared_ptr<const OwnedNetworkProgram> owned;
  std::shared_ptr<const OwnedNetworkStages> owned_stages;
  NetworkNodes list;
};

std::vector<Fact> concrete_facts(const PrepareContext& context, const Graph& body) {
  std::vector<Fact> inputs;
  for (int i = 0; i < context.input_count(); ++i) {
    const Shape shape = context.shape(i);
    inputs.push_back({context.dtype(i), Dims(shape.sizes().begin(), shape.sizes().end()), nullptr});
  }
  return infer_body(body, inputs);
}

Work count_work(const Graph& body, const std::vector<Fact>& facts) {
  Work sum;
  for (const Node& node : body.nodes) {
    if (node.row->kind == RowKind::kView) continue;
    const std::vector<const Fact*> inputs = network_facts_of(node.inputs, facts);
    const std::vector<const Fact*> outputs = network_facts_of(node.outputs, facts);
    PrepareContext context(node, inputs, outputs, Isa::kScalar);
    (void)node.row->prepare(context);
    sum.flops += context.work.flops;
    sum.bytes += context.work.bytes;
  }
  return sum;
}

}  // namespace

void infer_network(InferContext& context) {
  context.allow_attributes({"body"});
  const Graph& body = context.require_body("body");
  std::vector<Fact> inputs;
  for (int i = 0; i < context.input_count(); ++i) {
    inputs.push_back({context.dtype(i), context.input(i).dims, nullptr});
  }
  if (inputs.size() != body.inputs.size() || context.output_count() != static_cast<int>(body.outputs.size())) {
    context.reject("its graph has ", body.inputs.size(), " inputs and ", body.outputs.size(), " outputs");
  }
  std::vector<Fact> outputs = outputs_of(body, infer_body(body, inputs));
  for (std::size_t i = 0; i < outputs.size(); ++i) context.outputs()[i] = std::move(outputs[i]);
}

std::shared_ptr<const void> prepare_network(PrepareContext& context) {
  const Graph& body = context.require_body("body");
  const std::vector<Fact> facts = concrete_facts(context, body);
  context.work = count_work(body, facts);
  auto call = std::make_shared<OwnedNetworkCall>();
  call->owned = make_network_program(body, facts, context.target());
  call->owned_stages = make_network_stages(body, facts, context.target());
  if (call->owned_stages) {
    call->stages = call->owned_stages.get();
    context.note = call->owned_stages->note;
  } else if (call->owned) {
    call->program = call->owned.get();
    context.scratch_bytes = saturating_product(call->owned->slots, call->owned->slot, 4);
    context.note = text_of(*call->owned);
  } else {
    call->list = prepare_network_nodes(body, facts, context.target());
    call->nodes = &call->list;
    context.scratch_bytes = call->list.scratch + call->list.node_scratch;
  }
  return std::shared_ptr<const NetworkCall>(std::move(call));
}

void run_network_nodes(const OpCall& call) noexcept {
  run_nodes(call, *call.as<NetworkCall>().nodes,
            [](void* to, const void* from, int64_t bytes) { std::memcpy(to, from, static_cast<std::size_t>(bytes)); });
}

namespace scalar {

void network(const OpCall& call) noexcept { run_network_nodes(call); }

}  // namespace scalar
}  // namespace slipway
