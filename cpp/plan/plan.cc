#include "plan/plan.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/memory_budget.h"
#include "graph/patch.h"
#include "ops/shapes.h"
#include "ops/single.h"
#include "ops/table.h"
#include "plan/rows.h"
#include "plan/shortcuts.h"
#include "plan/storages.h"
#include "plan/updates.h"

namespace slipway {

namespace {

// A node whose inputs are all known is computed now if its outputs are at most this large: shape arithmetic is, and
// whatever is larger has been folded at load, or is not worth keeping a copy of in every plan.
constexpr int64_t kFoldBytes = int64_t{64} * 1024;

class Planner {
 public:
  Planner(const Graph& graph, const Target& target, Plan start)
      : graph_(graph),
        target_(target),
        plan_(std::move(start)),
        blocked_(graph.values.size(), false),
        readers_(count_readers(graph)),
        storages_(graph.values.size()) {
    for (const ValueId id : graph.outputs) ++readers_[static_cast<std::size_t>(id)];
  }

  Plan make() {
    for (const std::size_t index : std::exchange(plan_.deferred, {})) {
      const Node& node = graph_.nodes[index];
      try {
        plan_node(index, node);
      } catch (const Error& error) {
        throw error.at(node.title());
      }
    }
    keep_what_is_still_read();
    make_outputs();
    set_places();
    plan_.updates = find_updates(plan_);
    return std::move(plan_);
  }

 private:
  [[nodiscard]] Fact& fact(ValueId id) { return plan_.facts[static_cast<std::size_t>(id)]; }

  void plan_node(std::size_t index, const Node& node) {
    for (const ValueId id : node.inputs) {
      if (id != kNoValue && blocked_[static_cast<std::size_t>(id)]) return defer(index, node);
    }
    if (node.row->kind == RowKind::kControl) return add_control(node);
    const std::vector<const Fact*> inputs = facts_of(node.inputs);
    InferContext infer(node, inputs);
    node.row->infer(infer);
    if (!infer.awaited().empty()) {
      for (const int i : infer.awaited()) await(node.inputs[static_cast<std::size_t>(i)]);
      return defer(index, node);
    }
    int64_t bytes = 0;
    bool is_known = true;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      Fact& made = infer.outputs()[i];
      if (!made.is_concrete()) fail(Code::kUnsupported, "the shape of output ", i, " does not follow from the inputs");
      bytes = checked_add(bytes, made.shape().checked_bytes(size_of(made.dtype)));
      is_known = is_known && made.constant != nullptr;
      fact(node.outputs[i]) = made;
    }
    if (is_known) return;
    if (node.row->kind != RowKind::kView) require_memory(bytes);
    const bool has_known_inputs =
        std::all_of(inputs.begin(), inputs.end(), [](const Fact* f) { return f == nullptr || f->constant; });
    if (node.row->kind == RowKind::kView) return inputs[0]->constant ? fold_view(node) : share(node);
    if (has_known_inputs && bytes <= kFoldBytes) return fold(node, inputs);
    const std::vector<const Fact*> outputs = facts_of(node.outputs);
    const PrepareContext context(node, inputs, outputs, target_);
    if (context.makes_nothing()) {
      for (const ValueId id : node.outputs) (void)write(id);
      return;
    }
    if (gives_input(context) && inputs[0]->constant == nullptr) return share(node);
    if (!take_shortcut(node, context)) add_step(node, node.inputs, node.outputs);
  }

  /// Plans the node and the step before it as one call, where nobody else needs what lies between (shortcuts.h).
  bool take_shortcut(const Node& node, const PrepareContext& context) {
    if (plan_.steps.empty() || node.inputs.empty() || node.outputs.size() != 1) return false;
    const Step& before = plan_.steps.back();
    const ValueId between = node.inputs[0];
    if (before.outputs.size() != 1 || before.outputs[0].value != between || between == kNoValue ||
        readers_[static_cast<std::size_t>(between)] != 1) {
      return false;
    }
    const Node& maker = *before.node;
    std::vector<ValueId> read;
    for (const Operand& operand : before.inputs) read.push_back(operand.value);
    if (keeps_beginnings(context, maker)) {
      undo_step();
      add_step(maker, read, node.outputs);
      return true;
    }
    const std::vector<const Fact*> inputs = facts_of(maker.inputs);
    const std::vector<const Fact*> outputs = facts_of(maker.outputs);
    const PrepareContext pad(maker, inputs, outputs, target_);
    if (node.inputs.size() != 1 || !pads_in_vain(pad, node, fact(read[0]), context.output_shape(0))) return false;
    undo_step();
    add_step(node, {read[0]}, node.outputs);
    return true;
  }

  void undo_step() {
    storages_.forget_last(plan_.steps.back().outputs[0].value);
    plan_.steps.pop_back();
  }

  // Of one node alone, and of all that this segment's nodes make if none of it shares memory: what is laid out, and
  // what prepare counts, is then far from the end of int64_t.
  void require_memory(int64_t bytes) {
    MemoryBudget::require(bytes);
    constexpr int64_t kMostBytes = int64_t{1} << 56;
    made_bytes_ = checked_add(made_bytes_, bytes);
    if (made_bytes_ > kMostBytes) fail(Code::kLimit, "brings the values of a run to ", made_bytes_, " bytes");
  }

  // Its inputs are read when all steps are done; its outputs are results, known to the next segment.
  void add_control(const Node& node) {
    ControlStep control;
    control.node = &node;
    control.results = node.outputs.size();
    for (const ValueId id : node.inputs) control.inputs.push_back(operand_of(id));
    plan_.controls.push_back(std::move(control));
    for (const ValueId id : node.outputs) {
      plan_.results.push_back(id);
      if (id != kNoValue) blocked_[static_cast<std::size_t>(id)] = true;
    }
  }

  [[nodiscard]] std::vector<const Fact*> facts_of(const std::vector<ValueId>& ids) {
    std::vector<const Fact*> out;
    out.reserve(ids.size());
    for (const ValueId id : ids) out.push_back(id == kNoValue ? nullptr : &fact(id));
    return out;
  }

  void defer(std::size_t index, const Node& node) {
    plan_.deferred.push_back(index);
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) blocked_[static_cast<std::size_t>(id)] = true;
    }
  }

  void await(ValueId id) {
    const auto same = [&](const Operand& operand) { return operand.value == id; };
    if (std::any_of(plan_.awaited.begin(), plan_.awaited.end(), same)) return;
    if (plan_.awaited.size() == kMostAwaited)
      fail(Code::kLimit, "more than ", kMostAwaited, " values decide shapes at once");
    plan_.awaited.push_back(operand_of(id));
  }

  void fold(const Node& node, const std::vector<const Fact*>& inputs) {
    std::vector<TensorView> views;
    for (const Fact* input : inputs) views.push_back(input == nullptr ? TensorView{} : input->constant->view());
    std::vector<Tensor> results = run_single(node, views, host_isa(target_.isa), nullptr);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      fact(node.outputs[i]) = Fact::of(std::make_shared<Tensor>(std::move(results[i])));
    }
  }

  // A view of a constant is one too, whatever is known of its other inputs.
  void fold_view(const Node& node) {
    const TensorView from = fact(node.inputs[0]).constant->view();
    Fact& made = fact(node.outputs[0]);
    auto copy = std::make_shared<Tensor>(made.dtype, made.shape());
    std::memcpy(copy->mutable_view().data, from.data, static_cast<std::size_t>(from.bytes()));
    made = Fact::of(std::move(copy));
  }

  // A view has its input's memory, wherever that is.
  void share(const Node& node) {
    const ValueId from = node.inputs[0];
    const ValueId to = node.outputs[0];
    storages_.share(from, to);
    plan_.where[static_cast<std::size_t>(to)] = operand_of(to);
    plan_.where[static_cast<std::size_t>(to)].place = plan_.where[static_cast<std::size_t>(from)].place;
  }

  /// A call of the node's kernel with these values in place of the node's.
  void add_step(const Node& node, const std::vector<ValueId>& inputs, const std::vector<ValueId>& outputs) {
    const std::vector<const Fact*> input_facts = facts_of(inputs);
    const std::vector<const Fact*> output_facts = facts_of(outputs);
    Step step;
    step.node = &node;
    step.kernel = choose_kernel(*node.row, target_, &step.isa);
    PrepareContext context(node, input_facts, output_facts, target_.at(step.isa),
                           LastingInputs::of(graph_, plan_.facts, inputs));
    step.prepared = node.row->prepare(context);
    step.scratch_bytes = context.scratch_bytes;
    step.work = context.work;
    step.note = std::move(context.note);
    for (const ValueId id : inputs) step.inputs.push_back(read(id));
    for (const ValueId id : outputs) step.outputs.push_back(write(id));
    plan_.steps.push_back(std::move(step));
  }

  [[nodiscard]] Operand operand_of(ValueId id) {
    Operand operand;
    if (id == kNoValue) return operand;
    operand.value = id;
    operand.dtype = fact(id).dtype;
    operand.shape = fact(id).shape();
    return operand;
  }

  [[nodiscard]] int now() const { return static_cast<int>(plan_.steps.size()); }

  Operand read(ValueId id) {
    storages_.read(id, now());
    return operand_of(id);
  }

  Operand write(ValueId id) {
    Operand operand = operand_of(id);
    storages_.write(id, operand.bytes(), now());
    return operand;
  }

  // The rest of the run, and the reading of awaited values, come after the last step.
  void keep_what_is_still_read() {
    for (const std::size_t index : plan_.deferred) {
      for (const ValueId id : graph_.nodes[index].inputs) storages_.keep(id);
    }
    for (const Operand& operand : plan_.awaited) storages_.keep(operand.value);
    for (const ControlStep& control : plan_.controls) {
      for (const Operand& operand : control.inputs) storages_.keep(operand.value);
    }
  }

  void make_outputs() {
    for (std::size_t k = 0; k < graph_.outputs.size(); ++k) {
      const ValueId id = graph_.outputs[k];
      if (plan_.output_is_made[k] || blocked_[static_cast<std::size_t>(id)]) continue;
      plan_.output_is_made[k] = true;
      Operand output = operand_of(id);
      output.place = {Place::Kind::kOutput, static_cast<int32_t>(k), 0};
      plan_.outputs.emplace_back(static_cast<int>(k), output);
      if (fact(id).constant == nullptr && storages_.give_to_output(id, static_cast<int>(k))) continue;
      Step copy;
      copy.inputs.push_back(read(id));
      copy.outputs.push_back(output);
      copy.work.bytes = 2 * output.bytes();
      plan_.steps.push_back(std::move(copy));
    }
  }

  void set_places() {
    plan_.arena_bytes = storages_.lay_out();
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      const auto id = static_cast<ValueId>(i);
      const Place place = storages_.place_of(id, plan_.segment);
      if (place.kind == Place::Kind::kNowhere) continue;
      plan_.where[i] = operand_of(id);
      plan_.where[i].place = place;
    }
    for (Step& step : plan_.steps) {
      plan_.scratch_bytes = std::max(plan_.scratch_bytes, step.scratch_bytes);
      for (Operand& operand : step.inputs) place(operand);
      for (Operand& operand : step.outputs) place(operand);
    }
    for (Operand& operand : plan_.awaited) place(operand);
    for (ControlStep& control : plan_.controls) {
      for (Operand& operand : control.inputs) place(operand);
    }
  }

  void place(Operand& operand) {
    if (operand.value == kNoValue || operand.place.kind != Place::Kind::kNowhere) return;
    if (const auto& constant = fact(operand.value).constant) {
      const auto [found, is_new] = constants_.try_emplace(operand.value, static_cast<int32_t>(plan_.constants.size()));
      if (is_new) plan_.constants.push_back(constant);
      operand.place = {Place::Kind::kConstant, found->second, 0};
      return;
    }
    operand.place = plan_.where[static_cast<std::size_t>(operand.value)].place;
  }

  const Graph& graph_;
  const Target& target_;
  Plan plan_;
  std::vector<bool> blocked_;  // by value: made by a deferred node
  std::vector<int> readers_;   // by value: nodes and graph outputs
  Storages storages_;
  std::map<ValueId, int32_t> constants_;
  int64_t made_bytes_ = 0;
};

Fact fact_of(DType dtype, const Shape& shape) {
  return {dtype, Dims(shape.sizes().begin(), shape.sizes().end()), nullptr};
}

Plan plan_first(const Graph& graph, std::span<const TensorView> inputs, const Target& target) {
  Plan start;
  start.where.resize(graph.values.size());
  start.output_is_made.assign(graph.outputs.size(), false);
  start.deferred.resize(graph.nodes.size());
  std::iota(start.deferred.begin(), start.deferred.end(), 0);
  // Only constants and inputs are known; all else is inferred again with numbers.
  start.facts.reserve(graph.values.size());
  for (const Value& value : graph.values) start.facts.push_back(value.fact.constant ? value.fact : Fact{});
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const auto id = static_cast<std::size_t>(graph.inputs[i]);
    start.facts[id] = fact_of(inputs[i].dtype, inputs[i].shape);
    start.where[id] = {
        graph.inputs[i], {Place::Kind::kInput, static_cast<int32_t>(i), 0}, inputs[i].dtype, inputs[i].shape};
  }
  return Planner(graph, target, std::move(start)).make();
}

/// Gives `whole` a part where that may be and gains something.
void add_part(const Graph& graph, std::span<const TensorView> inputs, const Target& target, Plan& whole) {
  if (target.device || inputs.empty() || inputs[0].shape.rank() == 0 || !whole.is_last() || !whole.updates.empty()) {
    return;
  }
  const int64_t rows = inputs[0].shape[0];
  const int64_t part_rows = rows_of_part(rows, whole.arena_bytes);
  if (part_rows == 0) return;
  std::vector<TensorView> first(inputs.begin(), inputs.end());
  for (TensorView& input : first) {
    if (input.shape.rank() == 0 || input.shape[0] != rows) return;
    std::vector<int64_t> sizes(input.shape.sizes().begin(), input.shape.sizes().end());
    sizes[0] = part_rows;
    input.shape = Shape(sizes);
  }
  try {
    Target alone = target;  // parts run beside each other
    alone.threads = 1;
    auto part = std::make_shared<Plan>(plan_first(graph, first, alone));
    if (!part->is_last() || !has_free_rows(whole, rows, *part, part_rows)) return;
    whole.part = std::move(part);
    whole.parts = rows / part_rows;
    whole.part_rows = part_rows;
  } catch (const Error&) {
    return;  // sizes that the file fixes do not fit fewer rows
  }
}

/// A plan with nothing behind it needs no knowledge for it; of 256 plans of a large graph that would be most.
Plan settled(Plan plan) {
  if (!plan.is_last()) return plan;
  plan.facts = {};
  plan.where = {};
  return plan;
}

}  // namespace

Plan make_plan(const Graph& graph, std::span<const TensorView> inputs, const Target& target) {
  Plan whole = plan_first(graph, inputs, target);
  add_part(graph, inputs, target, whole);
  return settled(std::move(whole));
}

Plan continue_plan(const Graph& graph, const Plan& before, const Findings& found, const Target& target) {
  Plan start;
  start.segment = before.segment + 1;
  start.facts = before.facts;
  start.where = before.where;
  start.deferred = before.deferred;
  start.output_is_made = before.output_is_made;
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    start.facts[static_cast<std::size_t>(before.awaited[i].value)].constant = found.values[i];
  }
  for (std::size_t i = 0; i < before.results.size(); ++i) {
    if (before.results[i] == kNoValue) continue;
    const auto id = static_cast<std::size_t>(before.results[i]);
    start.facts[id] = fact_of(found.dtypes[i], found.shapes[i]);
    const Place place{Place::Kind::kResult, before.segment, static_cast<int64_t>(i)};
    start.where[id] = {before.results[i], place, found.dtypes[i], found.shapes[i]};
  }
  return settled(Planner(graph, target, std::move(start)).make());
}

}  // namespace slipway
