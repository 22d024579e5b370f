#include "exec/segment.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/fork.h"
#include "exec/hash.h"
#include "ops/fault.h"

namespace slipway {

namespace {

// More different values than this and the oldest knowledge is dropped, so that memory stays bounded.
constexpr std::size_t kMaxNext = 256;

// Floating-point operations and bytes touched that take a few microseconds, or some tens in kernels without vectors.
constexpr double kShortWork = 1 << 15;

double count_work(const Plan& plan) noexcept {
  double work = 0;
  for (const Step& step : plan.steps) {
    work += static_cast<double>(step.work.flops);
    for (const Operand& operand : step.inputs) work += static_cast<double>(operand.bytes());
    for (const Operand& operand : step.outputs) work += static_cast<double>(operand.bytes());
  }
  return work;
}

uint64_t hash_of(std::span<const TensorView> values, std::span<const TensorView> results) noexcept {
  uint64_t hash = kHashStart;
  for (const TensorView& value : values) hash = hash_bytes(hash, value);
  for (const TensorView& result : results) hash = hash_shape(hash, result.shape);
  return hash;
}

bool same(const TensorView& a, const TensorView& b) noexcept {
  return a.bytes() == b.bytes() && std::memcmp(a.data, b.data, static_cast<std::size_t>(a.bytes())) == 0;
}

bool fits(const Findings& known, std::span<const TensorView> values, std::span<const TensorView> results) noexcept {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!same(known.values[i]->view(), values[i])) return false;
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (known.shapes[i] != results[i].shape) return false;
  }
  return true;
}

[[noreturn]] void raise(const Node& node, const RunFault& fault) {
  try {
    throw_if(fault);
  } catch (const Error& error) {
    throw error.at(node.title());
  }
  fail(Code::kFault, node.title(), ": failed");
}

}  // namespace

Segment::Segment(Plan plan, const Machine& machine, std::vector<Shape> shapes)
    : plan_(std::move(plan)),
      share_(plan_.bytes()),
      shapes_(std::move(shapes)),
      is_short_(plan_.is_last() && !machine.target.device && count_work(plan_) <= kShortWork),
      device_(machine.target.device) {
  if (device_) {
    for (const auto& constant : plan_.constants) constants_.push_back(machine.device_constants->copy_of(constant));
  }
  const auto is_fixed = [&](const Place& place) {
    return place.kind == Place::Kind::kNowhere || place.kind == Place::Kind::kConstant ||
           (place.kind == Place::Kind::kArena && place.index == plan_.segment);
  };
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  for (const Step& step : plan_.steps) {
    for (const Operand& operand : step.inputs) {
      if (!is_fixed(operand.place)) fixups_.push_back({false, inputs, operand.place});
      ++inputs;
    }
    for (const Operand& operand : step.outputs) {
      if (!is_fixed(operand.place)) fixups_.push_back({true, outputs, operand.place});
      ++outputs;
    }
  }
  for (const ControlStep& control : plan_.controls) {
    for (const Operand& operand : control.inputs) {
      if (!is_fixed(operand.place)) fixups_.push_back({false, inputs, operand.place});
      ++inputs;
    }
  }
  if (plan_.part) link_part(machine);
}

// The plan and its part read and write the same inputs and outputs.
void Segment::link_part(const Machine& machine) {
  part_threads_ = machine.pool != nullptr ? std::min<int64_t>(machine.pool->threads(), plan_.parts) : 1;
  if (part_threads_ == 1 && plan_.part_rows > 1) return;
  part_ = std::make_unique<Segment>(*plan_.part, machine);
  for (const Fixup& to : part_->fixups_) {
    const auto from = std::find_if(fixups_.begin(), fixups_.end(), [&](const Fixup& fixup) {
      return fixup.place.kind == to.place.kind && fixup.place.index == to.place.index;
    });
    if (from == fixups_.end()) return part_.reset();
    links_.push_back({to, from->is_output, from->index});
  }
}

// A thread takes as many parts as any other; what is left then runs part by part on all of them. No operator of a part
// forbids values.
void Segment::call_parts(Frame& frame, ThreadPool* pool) const {
  const int64_t threads = part_threads_;
  const int64_t shared = plan_.parts / threads * threads;
  parallel_for(pool, threads, 1, [&](int64_t begin, int64_t end) {
    Frame& mine = *frame.parts[static_cast<std::size_t>(begin)];
    for (int64_t i = begin * shared / threads; i < end * shared / threads; ++i) call_part(frame, mine, i, nullptr);
  });
  for (int64_t i = shared; i < plan_.parts; ++i) call_part(frame, *frame.parts[0], i, pool);
}

void Segment::call_part(const Frame& frame, Frame& mine, int64_t index, ThreadPool* pool) const {
  for (const Link& link : links_) {
    const void* from = link.is_output ? frame.outputs[link.from].data : frame.inputs[link.from].data;
    if (link.to.is_output) {
      MutableView& view = mine.outputs[link.to.index];
      view.data = static_cast<std::byte*>(const_cast<void*>(from)) + index * view.bytes();
    } else {
      TensorView& view = mine.inputs[link.to.index];
      view.data = static_cast<const std::byte*>(from) + index * view.bytes();
    }
  }
  (void)part_->call_kernels(mine, pool);
}

bool Segment::is_for(std::span<const TensorView> inputs) const noexcept {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (shapes_[i] != inputs[i].shape) return false;
  }
  return true;
}

std::unique_ptr<Frame> Segment::borrow() {
  {
    const WholeLock<std::scoped_lock<std::mutex>> lock(frames_mutex_);
    if (!frames_.empty()) {
      std::unique_ptr<Frame> frame = std::move(frames_.back());
      frames_.pop_back();
      return frame;
    }
  }
  auto frame = std::make_unique<Frame>();
  if (device_) {
    frame->device = std::make_unique<DeviceFrame>(plan_, device_);
  } else if (part_) {
    for (int64_t i = 0; i < part_threads_; ++i) frame->parts.push_back(part_->borrow());
  } else {
    frame->arena = Buffer(plan_.arena_bytes);
    frame->scratch = Buffer(plan_.scratch_bytes);
  }
  const auto address = [&](const Operand& operand) -> void* {
    if (operand.place.kind != Place::Kind::kArena || part_) return nullptr;
    return frame->arena_data() + operand.place.offset;
  };
  const auto constant_address = [&](std::size_t i) -> const void* {
    return device_ ? constants_[i]->data() : plan_.constants[i]->view().data;
  };
  const auto add_input = [&](const Operand& operand) {
    const bool is_constant = operand.place.kind == Place::Kind::kConstant;
    const void* data = is_constant ? constant_address(static_cast<std::size_t>(operand.place.index)) : address(operand);
    frame->inputs.push_back({data, operand.dtype, operand.shape});
  };
  for (const Step& step : plan_.steps) {
    for (const Operand& operand : step.inputs) add_input(operand);
    for (const Operand& operand : step.outputs)
      frame->outputs.push_back({address(operand), operand.dtype, operand.shape});
  }
  for (const ControlStep& control : plan_.controls) {
    for (const Operand& operand : control.inputs) add_input(operand);
  }
  frame->results.resize(plan_.results.size());
  const WholeLock<std::scoped_lock<std::mutex>> lock(frames_mutex_);
  frames_.reserve(frames_.capacity() + 1);  // so that giving back never allocates
  return frame;
}

void Segment::give_back(std::unique_ptr<Frame> frame) noexcept {
  const WholeLock<std::scoped_lock<std::mutex>> lock(frames_mutex_);
  frames_.push_back(std::move(frame));
}

const TensorView* Segment::call_kernels(Frame& frame, ThreadPool* pool) const {
  if (pool == nullptr || is_short_) return call_steps(frame, pool);
  if (!frame.trial.shares()) pool = nullptr;
  const TrialRun run(frame.trial);
  return call_steps(frame, pool);
}

const TensorView* Segment::call_steps(Frame& frame, ThreadPool* pool) const {
  const TensorView* inputs = frame.inputs.data();
  const MutableView* outputs = frame.outputs.data();
  if (part_) {
    call_parts(frame, pool);
    return inputs + frame.inputs.size();
  }
  RunFault fault;
  for (const Step& step : plan_.steps) {
    if (step.node == nullptr) {
      if (inputs[0].bytes() > 0)
        std::memcpy(outputs[0].data, inputs[0].data, static_cast<std::size_t>(inputs[0].bytes()));
    } else {
      step.kernel(OpCall{{inputs, step.inputs.size()},
                         {outputs, step.outputs.size()},
                         step.prepared.get(),
                         frame.scratch.data(),
                         pool,
                         &fault});
      if (fault.what != nullptr) raise(*step.node, fault);
    }
    inputs += step.inputs.size();
    outputs += step.outputs.size();
  }
  return inputs;
}

std::shared_ptr<Segment> Segment::find(uint64_t hash, std::span<const TensorView> values,
                                       std::span<const TensorView> results) const {
  const auto [begin, end] = next_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (fits(it->second.found, values, results)) return it->second.segment;
  }
  return nullptr;
}

std::shared_ptr<Segment> Segment::find_next(std::span<const TensorView> values,
                                            std::span<const TensorView> results) const {
  const WholeLock<std::shared_lock<std::shared_mutex>> lock(next_mutex_);
  return find(hash_of(values, results), values, results);
}

std::shared_ptr<Segment> Segment::keep_next(Findings found, std::shared_ptr<Segment> next) {
  std::vector<TensorView> values;
  for (const auto& value : found.values) values.push_back(value->view());
  std::vector<TensorView> results;
  for (std::size_t i = 0; i < found.shapes.size(); ++i) results.push_back({nullptr, found.dtypes[i], found.shapes[i]});
  const uint64_t hash = hash_of(values, results);
  const WholeLock<std::unique_lock<std::shared_mutex>> lock(next_mutex_);
  if (std::shared_ptr<Segment> other = find(hash, values, results)) return other;
  if (next_.size() >= kMaxNext) next_.clear();
  next_.emplace(hash, Next{std::move(found), next});
  return next;
}

}  // namespace slipway
