// Network:  convolutions, poolings and dense layers between two values, run as one. Made by the passes; no file holds
// it.
//
// Domain slipway. Inputs and outputs: float32 or float64, [N, C, H, W] or [N, C], those of the graph `body`, whose
// nodes treat every sample alike. The meaning is that of its nodes, one after the other; vector columns run a program
// (network_program.h) where they can make one.
#include "ops/network.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "base/layout.h"
#include "ops/body.h"
#include "ops/network_program.h"
#include "ops/table.h"
#include "ops/window_rules.h"

namespace slipway {

namespace {

/// One node of the body, with the places of its arguments.
struct NodeCall {
  const Node* node;
  Kernel kernel;  // null for a view
  std::shared_ptr<const void> prepared;
  std::vector<TensorView> inputs;  // data: constants; else null, and `from` tells
  std::vector<MutableView> outputs;
  std::vector<int64_t> from;  // of inputs: place in scratch, or -1 - the network's input
  std::vector<int64_t> to;
};

struct Result {
  int64_t from;
  int64_t bytes;
};

struct OwnedNetworkCall final : NetworkCall {
  std::shared_ptr<const OwnedNetworkProgram> owned;
  std::vector<NodeCall> nodes;
  std::vector<Result> results;
  int64_t scratch = 0;  // of the nodes, behind their values
  std::size_t most_arguments = 0;
};

std::vector<const Fact*> facts_of(const std::vector<ValueId>& ids, const std::vector<Fact>& facts) {
  std::vector<const Fact*> out;
  for (const ValueId id : ids) out.push_back(id == kNoValue ? nullptr : &facts[static_cast<std::size_t>(id)]);
  return out;
}

/// Prepares every node of the body for the kernels of one column.
class NodeByNode {
 public:
  NodeByNode(const Graph& body, const std::vector<Fact>& facts, const Target& target, OwnedNetworkCall& call)
      : body_(body), facts_(facts), target_(target), call_(call), storage_of_(body.values.size(), kNone) {}

  /// Returns the bytes of scratch.
  int64_t prepare() {
    for (std::size_t i = 0; i < body_.inputs.size(); ++i) {
      storage_of_[static_cast<std::size_t>(body_.inputs[i])] = -1 - static_cast<int64_t>(i);
    }
    for (const Node& node : body_.nodes) add(node);
    for (const ValueId id : body_.outputs) read(id);
    const int64_t values = lay_out(lives_);
    for (NodeCall& node : call_.nodes) {
      for (int64_t& place : node.from) resolve(place);
      for (int64_t& place : node.to) resolve(place);
    }
    for (const ValueId id : body_.outputs) {
      int64_t place = storage_of_[static_cast<std::size_t>(id)];
      resolve(place);
      const Fact& fact = facts_[static_cast<std::size_t>(id)];
      call_.results.push_back({place, fact.shape().count() * size_of(fact.dtype)});
    }
    call_.scratch = values;
    return values + scratch_;
  }

 private:
  static constexpr int64_t kNone = std::numeric_limits<int64_t>::min();

  void resolve(int64_t& place) const {
    if (place >= 0) place = lives_[static_cast<std::size_t>(place)].offset;
  }

  int64_t read(ValueId id) {
    const int64_t storage = id == kNoValue ? kNone : storage_of_[static_cast<std::size_t>(id)];
    if (storage >= 0) lives_[static_cast<std::size_t>(storage)].last = static_cast<int>(call_.nodes.size());
    return storage;
  }

  void add(const Node& node) {
    if (node.row->kind == RowKind::kView) {
      storage_of_[static_cast<std::size_t>(node.outputs[0])] = read(node.inputs[0]);
      return;
    }
    NodeCall made;
    made.node = &node;
    Isa column = Isa::kScalar;
    made.kernel = choose_kernel(*node.row, target_, &column);
    const std::vector<const Fact*> inputs = facts_of(node.inputs, facts_);
    const std::vector<const Fact*> outputs = facts_of(node.outputs, facts_);
    PrepareContext context(node, inputs, outputs, target_.isa == Isa::kCuda ? target_ : Target(column));
    made.prepared = node.row->prepare(context);
    scratch_ = std::max(scratch_, context.scratch_bytes);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Fact* fact = inputs[i];
      if (fact == nullptr) {
        made.inputs.emplace_back();
      } else if (fact->constant) {
        made.inputs.push_back(fact->constant->view());
      } else {
        made.inputs.push_back({nullptr, fact->dtype, fact->shape()});
      }
      made.from.push_back(read(node.inputs[i]));
    }
    const int now = static_cast<int>(call_.nodes.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i] == nullptr) {
        made.outputs.emplace_back();
        made.to.push_back(kNone);
        continue;
      }
      made.outputs.push_back({nullptr, outputs[i]->dtype, outputs[i]->shape()});
      made.to.push_back(static_cast<int64_t>(lives_.size()));
      storage_of_[static_cast<std::size_t>(node.outputs[i])] = made.to.back();
      lives_.push_back({outputs[i]->shape().count() * size_of(outputs[i]->dtype), now, now, 0});
    }
    call_.nodes.push_back(std::move(made));
  }

  const Graph& body_;
  const std::vector<Fact>& facts_;
  const Target& target_;
  OwnedNetworkCall& call_;
  std::vector<int64_t> storage_of_;  // index into lives_, -1 - input, or kNone
  std::vector<Lifetime> lives_;
  int64_t scratch_ = 0;
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
    const std::vector<const Fact*> inputs = facts_of(node.inputs, facts);
    const std::vector<const Fact*> outputs = facts_of(node.outputs, facts);
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
  call->owned = make_network_program(body, facts, context.isa());
  if (call->owned) {
    call->program = call->owned.get();
    context.scratch_bytes = saturating_product(call->owned->slots, call->owned->slot, 4);
    context.note = text_of(*call->owned);
  } else {
    context.scratch_bytes = NodeByNode(body, facts, context.target(), *call).prepare();
  }
  return std::shared_ptr<const NetworkCall>(std::move(call));
}

void run_network_nodes(const OpCall& call) noexcept {
  const auto& network = static_cast<const OwnedNetworkCall&>(call.as<NetworkCall>());
  constexpr std::size_t kMostArguments = 16;
  const auto address = [&](int64_t place) -> const void* {
    return place < 0 ? call.inputs[static_cast<std::size_t>(-1 - place)].data : call.scratch + place;
  };
  for (const NodeCall& node : network.nodes) {
    TensorView inputs[kMostArguments];
    MutableView outputs[kMostArguments];
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      inputs[i] = node.inputs[i];
      if (inputs[i].data == nullptr && inputs[i].is_present()) inputs[i].data = address(node.from[i]);
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      outputs[i] = node.outputs[i];
      if (outputs[i].is_present()) outputs[i].data = call.scratch + node.to[i];
    }
    node.kernel(OpCall{{inputs, node.inputs.size()},
                       {outputs, node.outputs.size()},
                       node.prepared.get(),
                       call.scratch + network.scratch,
                       call.pool,
                       call.fault});
  }
  for (std::size_t i = 0; i < network.results.size(); ++i) {
    if (!call.has_output(i)) continue;
    std::memcpy(call.outputs[i].data, address(network.results[i].from),
                static_cast<std::size_t>(network.results[i].bytes));
  }
}

namespace scalar {

void network(const OpCall& call) noexcept { run_network_nodes(call); }

}  // namespace scalar
}  // namespace slipway
