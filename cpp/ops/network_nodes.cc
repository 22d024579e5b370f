// The nodes of a network prepared one by one, each for its own kernel, and where their values are.
#include "ops/network_nodes.h"

#include <algorithm>
#include <cstring>

#include "base/layout.h"
#include "cuda/device.h"
#include "ops/network_program.h"
#include "ops/table.h"

namespace slipway {

namespace {

/// Prepares every node of the body for the kernels of one column.
class NodeByNode {
 public:
  NodeByNode(const Graph& body, const std::vector<Fact>& facts, const Target& target, NetworkNodes& made)
      : body_(body), facts_(facts), target_(target), made_(made), storage_of_(body.values.size(), kNoPlace) {}

  void prepare() {
    for (std::size_t i = 0; i < body_.inputs.size(); ++i) {
      storage_of_[static_cast<std::size_t>(body_.inputs[i])] = -1 - static_cast<int64_t>(i);
    }
    for (const Node& node : body_.nodes) add(node);
    for (const ValueId id : body_.outputs) read(id);
    made_.scratch = lay_out(lives_);
    for (NetworkNode& node : made_.list) {
      for (int64_t& place : node.from) resolve(place);
      for (int64_t& place : node.to) resolve(place);
    }
    for (const ValueId id : body_.outputs) {
      int64_t place = storage_of_[static_cast<std::size_t>(id)];
      resolve(place);
      const Fact& fact = facts_[static_cast<std::size_t>(id)];
      made_.results.push_back({place, fact.shape().count() * size_of(fact.dtype)});
    }
  }

 private:
  void resolve(int64_t& place) const {
    if (place >= 0) place = lives_[static_cast<std::size_t>(place)].offset;
  }

  int64_t read(ValueId id) {
    const int64_t storage = id == kNoValue ? kNoPlace : storage_of_[static_cast<std::size_t>(id)];
    if (storage >= 0) lives_[static_cast<std::size_t>(storage)].last = static_cast<int>(made_.list.size());
    return storage;
  }

  void add(const Node& node) {
    if (node.row->kind == RowKind::kView) {
      storage_of_[static_cast<std::size_t>(node.outputs[0])] = read(node.inputs[0]);
      return;
    }
    NetworkNode made;
    Isa column = Isa::kScalar;
    made.kernel = choose_kernel(*node.row, target_, &column);
    const std::vector<const Fact*> inputs = network_facts_of(node.inputs, facts_);
    const std::vector<const Fact*> outputs = network_facts_of(node.outputs, facts_);
    PrepareContext context(node, inputs, outputs, target_.at(column), LastingInputs::of(body_, facts_, node.inputs));
    made.prepared = node.row->prepare(context);
    made_.node_scratch = std::max(made_.node_scratch, context.scratch_bytes);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Fact* fact = inputs[i];
      if (fact == nullptr) {
        made.inputs.emplace_back();
      } else if (fact->constant) {
        made.inputs.push_back(constant_of(context, static_cast<int>(i)));
      } else {
        made.inputs.push_back({nullptr, fact->dtype, fact->shape()});
      }
      made.from.push_back(read(node.inputs[i]));
    }
    const int now = static_cast<int>(made_.list.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i] == nullptr) {
        made.outputs.emplace_back();
        made.to.push_back(kNoPlace);
        continue;
      }
      made.outputs.push_back({nullptr, outputs[i]->dtype, outputs[i]->shape()});
      made.to.push_back(static_cast<int64_t>(lives_.size()));
      storage_of_[static_cast<std::size_t>(node.outputs[i])] = made.to.back();
      lives_.push_back({outputs[i]->shape().count() * size_of(outputs[i]->dtype), now, now, 0});
    }
    made_.list.push_back(std::move(made));
  }

  /// The constant, on a device its copy there.
  TensorView constant_of(const PrepareContext& context, int i) {
    TensorView view = context.constant(i)->view();
    if (context.device() == nullptr) return view;
    auto memory = context.uploaded({static_cast<std::size_t>(i)}, concat("input ", i), [&] {
      Tensor copy(view.dtype, view.shape);
      std::memcpy(copy.mutable_view().data, view.data, static_cast<std::size_t>(view.bytes()));
      return copy;
    });
    view.data = memory->data();
    made_.uploads.push_back(std::move(memory));
    return view;
  }

  const Graph& body_;
  const std::vector<Fact>& facts_;
  const Target& target_;
  NetworkNodes& made_;
  std::vector<int64_t> storage_of_;  // index into lives_, -1 - input, or kNoPlace
  std::vector<Lifetime> lives_;
};

}  // namespace

std::vector<const Fact*> network_facts_of(const std::vector<ValueId>& ids, const std::vector<Fact>& facts) {
  std::vector<const Fact*> out;
  for (const ValueId id : ids) out.push_back(id == kNoValue ? nullptr : &facts[static_cast<std::size_t>(id)]);
  return out;
}

NetworkNodes prepare_network_nodes(const Graph& body, const std::vector<Fact>& facts, const Target& target) {
  NetworkNodes made;
  NodeByNode(body, facts, target, made).prepare();
  return made;
}

}  // namespace slipway
