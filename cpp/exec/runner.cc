#include "exec/runner.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/fork.h"
#include "exec/given_outputs.h"
#include "exec/hash.h"

namespace slipway {

namespace {

// Different input shapes whose plans are kept, and bytes of these plans; beyond it all are dropped and made anew. A
// body that grows a state has a shape for each step.
constexpr std::size_t kMaxPlans = 256;
constexpr int64_t kMaxPlanBytes = int64_t{256} << 20;

// A frame that cannot be left goes: the stream is gone, or the device has failed; freeing its memory waits for it.
void leave(std::unique_ptr<Frame>& frame, void* stream) noexcept {
  try {
    frame->device->leave(stream);
  } catch (const Error&) {
    frame.reset();
  }
}

}  // namespace

// One run: the frames it has borrowed and where everything is.
class Runner::Run {
 public:
  Run(Runner& runner, std::span<const TensorView> inputs, Outputs& outputs, void* stream)
      : runner_(runner), inputs_(inputs), outputs_(outputs), stream_(stream) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  // On a device the last segment's kernels may still read what the first has made: only now is any frame another's.
  ~Run() {
    for (std::size_t i = 0; i < count_; ++i) {
      if (at(i).frame->device) leave(at(i).frame, stream_);
    }
    for (std::size_t i = 1; i < count_; ++i) {
      if (at(i).frame) at(i).segment->give_back(std::move(at(i).frame));
    }
    if (count_ > 0 && at(0).frame) runner_.keep(std::move(at(0).segment), std::move(at(0).frame));
  }

  // Ends because each segment makes known a value or a result that was not, and their number is finite.
  void go(std::shared_ptr<Segment> first, std::unique_ptr<Frame> memory) {
    for (Segment* segment = add({std::move(first), std::move(memory)});;) {
      Frame& frame = *at(count_ - 1).frame;
      const Plan& plan = segment->plan();
      for (const auto& [k, operand] : plan.outputs) prepare(plan, k, operand);
      outputs_.prepared(segment->is_short());
      resolve(*segment, frame);
      if (frame.device) {
        frame.device->enter(stream_);
        segment->launch_kernels(frame, stream_);
        frame.device->check_values(stream_);
      } else {
        run_controls(plan, frame, segment->call_kernels(frame, runner_.machine_.pool));
      }
      std::shared_ptr<Segment> next = next_of(*segment, frame);
      if (!next) return;
      std::unique_ptr<Frame> next_memory = next->borrow();
      segment = add({std::move(next), std::move(next_memory)});
    }
  }

 private:
  struct Part {
    std::shared_ptr<Segment> segment;
    std::unique_ptr<Frame> frame;
  };

  void prepare(const Plan& plan, int k, const Operand& operand) {
    for (const Update& update : plan.updates) {
      if (update.output != k) continue;
      return outputs_.prepare_update(static_cast<std::size_t>(k), operand.dtype, operand.shape,
                                     static_cast<std::size_t>(update.input));
    }
    outputs_.prepare(static_cast<std::size_t>(k), operand.dtype, operand.shape);
  }

  // The first parts need no memory of their own: most runs have one to three.
  [[nodiscard]] Part& at(std::size_t i) noexcept { return i < few_.size() ? few_[i] : more_[i - few_.size()]; }
  [[nodiscard]] const Part& at(std::size_t i) const noexcept {
    return i < few_.size() ? few_[i] : more_[i - few_.size()];
  }
  Segment* add(Part part) {
    Segment* segment = part.segment.get();
    if (count_ < few_.size()) {
      few_[count_] = std::move(part);
    } else {
      more_.push_back(std::move(part));
    }
    ++count_;
    return segment;
  }

  [[nodiscard]] const void* address(const Place& place) const noexcept {
    const auto index = static_cast<std::size_t>(place.index);
    switch (place.kind) {
      case Place::Kind::kInput:
        return inputs_[index].data;
      case Place::Kind::kOutput:
        return outputs_.address(index);
      case Place::Kind::kResult:
        return at(index).frame->results[static_cast<std::size_t>(place.offset)].data;
      default:
        return at(index).frame->arena_data() + place.offset;
    }
  }

  void resolve(const Segment& segment, Frame& frame) const noexcept {
    for (const Fixup& fixup : segment.fixups()) {
      if (fixup.is_output) {
        frame.outputs[fixup.index].data = const_cast<void*>(address(fixup.place));  // no step writes to an input
      } else {
        frame.inputs[fixup.index].data = address(fixup.place);
      }
    }
  }

  void run_controls(const Plan& plan, Frame& frame, const TensorView* inputs) {
    if (plan.controls.empty()) return;
    if (frame.controls.empty()) {
      std::vector<std::unique_ptr<Control>> controls;  // all of them, or none where memory ends
      for (const ControlStep& step : plan.controls)
        controls.push_back(make_control(*step.node, runner_.bodies_.at(step.node), runner_.machine_));
      frame.controls = std::move(controls);
    }
    TensorView* results = frame.results.data();
    for (std::size_t i = 0; i < plan.controls.size(); ++i) {
      const ControlStep& step = plan.controls[i];
      try {
        frame.controls[i]->run({inputs, step.inputs.size()}, {results, step.results});
      } catch (const Error& error) {
        throw error.at(step.node->title());
      }
      inputs += step.inputs.size();
      results += step.results;
    }
  }

  [[nodiscard]] std::shared_ptr<Segment> next_of(Segment& segment, Frame& frame) {
    const Plan& plan = segment.plan();
    if (plan.is_last()) return nullptr;
    TensorView values[kMostAwaited];
    const std::size_t count = plan.awaited.size();
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = {address(plan.awaited[i].place), plan.awaited[i].dtype, plan.awaited[i].shape};
      if (frame.device) values[i].data = frame.device->read(i, values[i].data, values[i].bytes(), stream_);
    }
    if (std::shared_ptr<Segment> known = segment.find_next({values, count}, frame.results)) return known;
    Findings found;
    for (std::size_t i = 0; i < count; ++i) {
      auto tensor = std::make_shared<Tensor>(values[i].dtype, values[i].shape);
      std::memcpy(tensor->mutable_view().data, values[i].data, static_cast<std::size_t>(values[i].bytes()));
      found.values.push_back(std::move(tensor));
    }
    for (const TensorView& result : frame.results) {
      found.dtypes.push_back(result.dtype);
      found.shapes.push_back(result.shape);
    }
    const NoFork no_fork;
    auto next = std::make_shared<Segment>(continue_plan(*runner_.graph_, plan, found, runner_.machine_.target),
                                          runner_.machine_);
    return segment.keep_next(std::move(found), std::move(next));
  }

  Runner& runner_;
  std::span<const TensorView> inputs_;
  Outputs& outputs_;
  void* stream_;
  std::size_t count_ = 0;
  std::array<Part, 4> few_;
  std::vector<Part> more_;
};

Runner::Runner(Graph graph, const Machine& machine)
    : Runner(std::make_shared<const Graph>(std::move(graph)), machine) {}

Runner::Runner(std::shared_ptr<const Graph> graph, const Machine& machine)
    : graph_(std::move(graph)), machine_(machine) {
  for (const Node& node : graph_->nodes) {
    if (node.row->kind != RowKind::kControl) continue;
    auto& bodies = bodies_[&node];
    for (const auto& [name, body] : node.bodies()) bodies.push_back(std::make_unique<Runner>(body, machine));
  }
}

Runner::~Runner() = default;

std::shared_ptr<Segment> Runner::find_segment(uint64_t hash, std::span<const TensorView> inputs) const {
  const auto [begin, end] = plans_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (it->second->is_for(inputs)) return it->second;
  }
  return nullptr;
}

std::shared_ptr<Segment> Runner::first_segment(std::span<const TensorView> inputs) {
  uint64_t hash = kHashStart;
  for (const TensorView& input : inputs) hash = hash_shape(hash, input.shape);
  {
    const WholeLock<std::shared_lock<std::shared_mutex>> lock(plans_mutex_);
    if (std::shared_ptr<Segment> known = find_segment(hash, inputs)) return known;
  }
  std::vector<Shape> shapes;
  for (const TensorView& input : inputs) shapes.push_back(input.shape);
  const NoFork no_fork;  // a plan locks what the nodes share
  auto made = std::make_shared<Segment>(make_plan(*graph_, inputs, machine_.target), machine_, std::move(shapes));
  const WholeLock<std::unique_lock<std::shared_mutex>> lock(plans_mutex_);
  if (std::shared_ptr<Segment> known = find_segment(hash, inputs)) return known;
  if (plans_.size() >= kMaxPlans || plan_bytes_ + made->bytes() > kMaxPlanBytes) {
    plans_.clear();
    plan_bytes_ = 0;
  }
  plans_.emplace(hash, made);
  plan_bytes_ += made->bytes();
  return made;
}

template <typename F>
auto Runner::within_budget(const F& work) {
  const BudgetScope scope(machine_.memory);
  try {
    return work();
  } catch (const Error& error) {
    if (error.code() != Code::kLimit || !machine_.memory || !machine_.memory->has_refused()) throw;
    forget_plans();
    return work();
  }
}

void Runner::run(std::span<const TensorView> inputs, Outputs& outputs, void* stream) {
  within_budget([&] { run_inside(inputs, outputs, stream); });
}

void Runner::forget_plans() {
  const std::unique_ptr<Frame> last = last_.take();
  decltype(plans_) forgotten;
  {
    const WholeLock<std::unique_lock<std::shared_mutex>> lock(plans_mutex_);
    forgotten.swap(plans_);
    plan_bytes_ = 0;
  }
  for (const auto& [node, bodies] : bodies_) {
    for (const std::unique_ptr<Runner>& body : bodies) body->forget_plans();
  }
}

void Runner::run_inside(std::span<const TensorView> inputs, Outputs& outputs, void* stream) {
  std::unique_ptr<Frame> frame = last_.take();
  std::shared_ptr<Segment> segment = frame ? std::move(frame->segment) : nullptr;
  if (segment && !segment->is_for(inputs)) std::exchange(segment, nullptr)->give_back(std::move(frame));
  if (!segment) {
    segment = first_segment(inputs);
    frame = segment->borrow();
  }
  Run(*this, inputs, outputs, stream).go(std::move(segment), std::move(frame));
}

void Runner::keep(std::shared_ptr<Segment> segment, std::unique_ptr<Frame> frame) noexcept {
  frame->segment = std::move(segment);
  std::unique_ptr<Frame> other = last_.put(std::move(frame));
  if (!other) return;
  const std::shared_ptr<Segment> owner = std::move(other->segment);
  owner->give_back(std::move(other));
}

void Runner::run(std::span<const TensorView> inputs, std::span<const MutableView> into,
                 std::vector<Tensor>* allocated) {
  GivenOutputs outputs(*graph_, into, allocated);
  run(inputs, outputs);
}

std::unique_ptr<BoundRun> Runner::bind(std::span<const TensorView> inputs, std::span<const MutableView> into) {
  return within_budget([&] { return std::unique_ptr<BoundRun>(new BoundRun(*this, inputs, into)); });
}

BoundRun::BoundRun(Runner& runner, std::span<const TensorView> inputs, std::span<const MutableView> into)
    : runner_(runner), inputs_(inputs.begin(), inputs.end()), into_(into.begin(), into.end()) {
  segment_ = runner.first_segment(inputs);
  const Plan& plan = segment_->plan();
  if (!plan.is_last()) return;
  GivenOutputs outputs(runner.graph(), into_, nullptr);
  for (const auto& [k, operand] : plan.outputs)
    outputs.prepare(static_cast<std::size_t>(k), operand.dtype, operand.shape);
  frame_ = segment_->borrow();
  for (const Fixup& fixup : segment_->fixups()) {
    const auto index = static_cast<std::size_t>(fixup.place.index);
    void* output = fixup.place.kind == Place::Kind::kOutput ? into_[index].data : nullptr;
    if (fixup.is_output) {
      frame_->outputs[fixup.index].data = output;
    } else {
      frame_->inputs[fixup.index].data = output != nullptr ? output : inputs_[index].data;
    }
  }
}

BoundRun::~BoundRun() {
  if (frame_ == nullptr) return;
  if (has_stream_) leave(frame_, stream_);
  if (frame_ != nullptr) segment_->give_back(std::move(frame_));
}

bool BoundRun::is_short() const noexcept { return frame_ != nullptr && segment_->is_short(); }

void BoundRun::run(void* stream) {
  if (is_running_.exchange(true, std::memory_order_acquire))
    fail(Code::kUsage, "a bound call is running in another thread; bind one for each thread");
  struct Ended {
    std::atomic<bool>& is_running;
    ~Ended() { is_running.store(false, std::memory_order_release); }
  } const ended{is_running_};
  if (frame_ == nullptr) {
    GivenOutputs outputs(runner_.graph(), into_, nullptr);
    return runner_.run(inputs_, outputs, stream);
  }
  if (!frame_->device) {
    segment_->call_kernels(*frame_, runner_.machine_.pool);
    return;
  }
  if (runner_.machine_.target.device->plugin().is_capturing(stream)) {
    return segment_->record_kernels(*frame_, stream);
  }
  frame_->device->raise_reported();
  if (!has_stream_ || stream != stream_) {
    if (has_stream_) frame_->device->leave(stream_);
    frame_->device->enter(stream);
    stream_ = stream;
    has_stream_ = true;
  }
  segment_->launch_kernels(*frame_, stream);
  if (has_one_per_thread(stream)) {
    frame_->device->leave(stream);  // the next run may be another thread's
    has_stream_ = false;
  }
}

void BoundRun::finish(void* stream) {
  runner_.machine_.target.device->synchronize(stream);
  if (frame_ != nullptr) frame_->device->raise_reported();
}

std::string Runner::plan_text(std::span<const Shape> shapes) {
  std::vector<TensorView> inputs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Fact& fact = graph_->values[static_cast<std::size_t>(graph_->inputs[i])].fact;
    inputs.push_back({nullptr, fact.dtype, shapes[i]});
  }
  return within_budget([&] { return text_of(first_segment(inputs)->plan()); });
}

}  // namespace slipway
