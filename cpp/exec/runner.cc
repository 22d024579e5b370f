#include "exec/runner.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "exec/hash.h"
#include "ops/fault.h"

namespace slipway {

namespace {

// Different input shapes whose plans are kept; beyond it all are dropped and made anew.
constexpr std::size_t kMaxPlans = 64;
// Segments follow each other only where shapes depend on values; more than this is a broken graph.
constexpr std::size_t kMaxSegments = 16;

}  // namespace

// One run: the frames it has borrowed and where everything is.
class Runner::Run {
 public:
  Run(Runner& runner, std::span<const TensorView> inputs, std::span<const MutableView> into,
      std::vector<Tensor>* allocated)
      : runner_(runner), inputs_(inputs), into_(into), allocated_(allocated) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    for (std::size_t i = 0; i < count_; ++i) segments_[i]->give_back(std::move(frames_[i]));
  }

  void go(std::shared_ptr<Segment> segment) {
    while (segment) {
      if (count_ == kMaxSegments)
        fail(Code::kLimit, "the run needs more than ", kMaxSegments, " plans one after the other");
      frames_[count_] = segment->borrow();
      segments_[count_] = segment;
      ++count_;
      ready_outputs(segment->plan());
      resolve(*segment, *frames_[count_ - 1]);
      call_kernels(segment->plan(), *frames_[count_ - 1]);
      segment = next_of(*segment);
    }
  }

 private:
  void ready_outputs(const Plan& plan) {
    for (const auto& [index, operand] : plan.outputs) {
      const auto k = static_cast<std::size_t>(index);
      if (into_.size() > k && into_[k].data != nullptr) {
        check_given(k, operand);
      } else {
        if (allocated_->size() <= k) allocated_->resize(runner_.graph_.outputs.size());
        (*allocated_)[k] = Tensor(operand.dtype, operand.shape);
      }
    }
  }

  void check_given(std::size_t k, const Operand& operand) const {
    if (into_[k].dtype == operand.dtype && into_[k].shape == operand.shape) return;
    fail(Code::kInput, "the memory given for output ",
         quote(runner_.graph_.values[static_cast<std::size_t>(operand.value)].name), " is ", name_of(into_[k].dtype),
         " ", into_[k].shape.text(), ", expected ", name_of(operand.dtype), " ", operand.shape.text());
  }

  [[nodiscard]] void* address(const Place& place) const noexcept {
    const auto index = static_cast<std::size_t>(place.index);
    switch (place.kind) {
      case Place::Kind::kInput:
        return const_cast<void*>(inputs_[index].data);  // only ever read: no step writes to an input's place
      case Place::Kind::kOutput:
        return into_.size() > index && into_[index].data != nullptr ? into_[index].data
                                                                    : (*allocated_)[index].mutable_view().data;
      default:
        return frames_[index]->arena.data() + place.offset;
    }
  }

  void resolve(const Segment& segment, Frame& frame) const noexcept {
    for (const Fixup& fixup : segment.fixups()) {
      if (fixup.is_output) {
        frame.outputs[fixup.index].data = address(fixup.place);
      } else {
        frame.inputs[fixup.index].data = address(fixup.place);
      }
    }
  }

  void call_kernels(const Plan& plan, Frame& frame) {
    const TensorView* inputs = frame.inputs.data();
    const MutableView* outputs = frame.outputs.data();
    RunFault fault;
    for (const Step& step : plan.steps) {
      if (step.node == nullptr) {
        std::memcpy(outputs[0].data, inputs[0].data, static_cast<std::size_t>(inputs[0].bytes()));
      } else {
        step.kernel(OpCall{{inputs, step.inputs.size()},
                           {outputs, step.outputs.size()},
                           step.prepared.get(),
                           frame.scratch.data(),
                           runner_.pool_.get(),
                           &fault});
        if (fault.what != nullptr) raise(*step.node, fault);
      }
      inputs += step.inputs.size();
      outputs += step.outputs.size();
    }
  }

  [[noreturn]] static void raise(const Node& node, const RunFault& fault) {
    try {
      throw_if(fault);
    } catch (const Error& error) {
      throw error.at(node.title());
    }
    fail(Code::kFault, node.title(), ": failed");
  }

  [[nodiscard]] std::shared_ptr<Segment> next_of(Segment& segment) {
    const Plan& plan = segment.plan();
    if (plan.awaited.empty()) return nullptr;
    constexpr std::size_t kMaxAwaited = 16;
    if (plan.awaited.size() > kMaxAwaited)
      fail(Code::kLimit, "more than ", kMaxAwaited, " values decide shapes at once");
    TensorView values[kMaxAwaited];
    const std::size_t count = plan.awaited.size();
    for (std::size_t i = 0; i < count; ++i)
      values[i] = {address(plan.awaited[i].place), plan.awaited[i].dtype, plan.awaited[i].shape};
    if (std::shared_ptr<Segment> known = segment.find_next({values, count})) return known;
    std::vector<std::shared_ptr<const Tensor>> kept;
    for (std::size_t i = 0; i < count; ++i) {
      auto tensor = std::make_shared<Tensor>(values[i].dtype, values[i].shape);
      std::memcpy(tensor->mutable_view().data, values[i].data, static_cast<std::size_t>(values[i].bytes()));
      kept.push_back(std::move(tensor));
    }
    auto next = std::make_shared<Segment>(continue_plan(runner_.graph_, plan, kept, runner_.isa_));
    return segment.keep_next(std::move(kept), std::move(next));
  }

  Runner& runner_;
  std::span<const TensorView> inputs_;
  std::span<const MutableView> into_;
  std::vector<Tensor>* allocated_;
  std::size_t count_ = 0;
  std::shared_ptr<Segment> segments_[kMaxSegments];
  std::unique_ptr<Frame> frames_[kMaxSegments];
};

Runner::Runner(Graph graph, Isa isa, int threads)
    : graph_(std::move(graph)), isa_(isa), pool_(threads > 1 ? std::make_unique<ThreadPool>(threads) : nullptr) {}

template <typename GetShape>
std::shared_ptr<Segment> Runner::first_segment(std::size_t count, const GetShape& shape_of) {
  uint64_t hash = kHashStart;
  for (std::size_t i = 0; i < count; ++i) hash = hash_shape(hash, shape_of(i));
  const auto find = [&]() -> std::shared_ptr<Segment> {
    const auto [begin, end] = plans_.equal_range(hash);
    for (auto it = begin; it != end; ++it) {
      bool is_same = true;
      for (std::size_t i = 0; i < count && is_same; ++i) is_same = it->second.shapes[i] == shape_of(i);
      if (is_same) return it->second.segment;
    }
    return nullptr;
  };
  {
    const std::shared_lock lock(plans_mutex_);
    if (std::shared_ptr<Segment> known = find()) return known;
  }
  std::vector<Shape> shapes;
  for (std::size_t i = 0; i < count; ++i) shapes.push_back(shape_of(i));
  auto made = std::make_shared<Segment>(make_plan(graph_, shapes, isa_));
  const std::unique_lock lock(plans_mutex_);
  if (std::shared_ptr<Segment> known = find()) return known;
  if (plans_.size() >= kMaxPlans) plans_.clear();
  plans_.emplace(hash, Entry{std::move(shapes), made});
  return made;
}

void Runner::run(std::span<const TensorView> inputs, std::span<const MutableView> into,
                 std::vector<Tensor>* allocated) {
  std::shared_ptr<Segment> segment =
      first_segment(inputs.size(), [&](std::size_t i) -> const Shape& { return inputs[i].shape; });
  Run(*this, inputs, into, allocated).go(std::move(segment));
}

std::string Runner::plan_text(std::span<const Shape> shapes) {
  return text_of(first_segment(shapes.size(), [&](std::size_t i) -> const Shape& { return shapes[i]; })->plan());
}

}  // namespace slipway
