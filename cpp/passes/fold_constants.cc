// Runs nodes whose inputs are all constants, with the scalar kernels, and keeps the results instead.
//
// 1. Chains fold in one sweep: a result counts as a constant for the nodes after it.
// 2. Results are bounded per node and per sweep, what is computed and read for them per load. A node above a bound
// stays
//    and runs with the model.
// 3. Operators with bodies stay: how long a loop takes is not known before it runs.
// 4. A node that fails (an index out of range) stays too, so that it fails when the model runs, as ONNX has it.
#include <algorithm>
#include <map>
#include <optional>

#include "base/interrupt.h"
#include "ops/single.h"
#include "passes/infer_facts.h"
#include "passes/sweep.h"

namespace slipway {

namespace {

constexpr int64_t kMaxNodeBytes = int64_t{64} << 20;
constexpr int64_t kMaxSweepBytes = int64_t{256} << 20;

class Folder final {
 public:
  Folder(const Graph& graph, FoldBudget& budget) : sweep_(graph), budget_(budget) {}

  Rewrite run() {
    const Graph& graph = sweep_.graph();
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const Node& node = graph.nodes[i];
      if (node.row->kind == RowKind::kControl) continue;
      if (!std::all_of(node.inputs.begin(), node.inputs.end(),
                       [&](ValueId id) { return id == kNoValue || known(id); })) {
        continue;
      }
      check_interrupt();
      std::optional<std::vector<Tensor>> results = evaluate(node);
      if (results) keep(static_cast<int>(i), node, std::move(*results));
    }
    return sweep_.finish();
  }

 private:
  [[nodiscard]] const Fact* known(ValueId id) const {
    const auto found = folded_.find(id);
    if (found != folded_.end()) return &found->second;
    const Fact& fact = sweep_.fact(id);
    return fact.constant ? &fact : nullptr;
  }

  // Takes the results' bytes, and what is read for them; false where they are too many or do not follow from the
  // inputs.
  [[nodiscard]] bool take_bytes(const Node& node, const std::vector<const Fact*>& inputs) {
    const std::vector<Fact> facts = infer_node(node, [&](ValueId id) { return known(id); });
    int64_t read = 0;
    int64_t made = 0;
    for (const Fact* input : inputs) read += input != nullptr ? input->constant->bytes() : 0;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      const Fact& fact = facts[i];
      if (!fact.is_concrete() || fact.shape().checked_bytes(1) > kMaxNodeBytes) return false;
      made += fact.shape().checked_bytes(size_of(fact.dtype));
    }
    if (read + made > std::min(kMaxNodeBytes, budget_.bytes) || made > kMaxSweepBytes - bytes_) return false;
    bytes_ += made;
    budget_.bytes -= read + made;
    return true;
  }

  std::optional<std::vector<Tensor>> evaluate(const Node& node) {
    try {
      std::vector<const Fact*> inputs;
      std::vector<TensorView> views;
      for (const ValueId id : node.inputs) {
        inputs.push_back(id == kNoValue ? nullptr : known(id));
        views.push_back(id == kNoValue ? TensorView{} : inputs.back()->constant->view());
      }
      if (!take_bytes(node, inputs)) return std::nullopt;
      return run_single(node, views, Isa::kScalar, nullptr, true, &budget_.flops);
    } catch (const Error&) {
      return std::nullopt;  // case 4
    }
  }

  void keep(int index, const Node& node, std::vector<Tensor> results) {
    for (std::size_t k = 0; k < node.outputs.size(); ++k) {
      if (node.outputs[k] == kNoValue) continue;
      Fact fact = Fact::of(std::make_shared<const Tensor>(std::move(results[k])));
      sweep_.set_fact(node.outputs[k], fact);
      folded_[node.outputs[k]] = std::move(fact);
    }
    sweep_.remove(index);
    sweep_.note(node.title(), " became a constant");
  }

  Sweep sweep_;
  FoldBudget& budget_;
  std::map<ValueId, Fact> folded_;
  int64_t bytes_ = 0;
};

}  // namespace

Rewrite fold_constants(const Graph& graph, FoldBudget& budget) { return Folder(graph, budget).run(); }

}  // namespace slipway
