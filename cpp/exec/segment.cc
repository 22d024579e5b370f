#include "exec/segment.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "exec/hash.h"

namespace slipway {

namespace {

// More different values than this and the oldest knowledge is dropped, so that memory stays bounded.
constexpr std::size_t kMaxNext = 256;

uint64_t hash_of(std::span<const TensorView> values) noexcept {
  uint64_t hash = kHashStart;
  for (const TensorView& value : values) hash = hash_bytes(hash, value);
  return hash;
}

bool same(const TensorView& a, const TensorView& b) noexcept {
  return a.bytes() == b.bytes() && std::memcmp(a.data, b.data, static_cast<std::size_t>(a.bytes())) == 0;
}

std::vector<TensorView> views_of(const std::vector<std::shared_ptr<const Tensor>>& values) {
  std::vector<TensorView> views;
  for (const auto& value : values) views.push_back(value->view());
  return views;
}

}  // namespace

Segment::Segment(Plan plan) : plan_(std::move(plan)) {
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
}

std::unique_ptr<Frame> Segment::borrow() {
  {
    const std::scoped_lock lock(frames_mutex_);
    if (!frames_.empty()) {
      std::unique_ptr<Frame> frame = std::move(frames_.back());
      frames_.pop_back();
      return frame;
    }
  }
  auto frame = std::make_unique<Frame>();
  frame->arena = Buffer(plan_.arena_bytes);
  frame->scratch = Buffer(plan_.scratch_bytes);
  const auto address = [&](const Operand& operand) -> void* {
    if (operand.place.kind == Place::Kind::kArena) return frame->arena.data() + operand.place.offset;
    return nullptr;
  };
  for (const Step& step : plan_.steps) {
    for (const Operand& operand : step.inputs) {
      const bool is_constant = operand.place.kind == Place::Kind::kConstant;
      const void* data =
          is_constant ? plan_.constants[static_cast<std::size_t>(operand.place.index)]->view().data : address(operand);
      frame->inputs.push_back({data, operand.dtype, operand.shape});
    }
    for (const Operand& operand : step.outputs)
      frame->outputs.push_back({address(operand), operand.dtype, operand.shape});
  }
  const std::scoped_lock lock(frames_mutex_);
  frames_.reserve(frames_.capacity() + 1);  // so that giving back never allocates
  return frame;
}

void Segment::give_back(std::unique_ptr<Frame> frame) noexcept {
  const std::scoped_lock lock(frames_mutex_);
  frames_.push_back(std::move(frame));
}

std::shared_ptr<Segment> Segment::find_next(std::span<const TensorView> values) const {
  const std::shared_lock lock(next_mutex_);
  const auto [begin, end] = next_.equal_range(hash_of(values));
  for (auto it = begin; it != end; ++it) {
    const auto& known = it->second.values;
    bool is_same = true;
    for (std::size_t i = 0; i < values.size() && is_same; ++i) is_same = same(known[i]->view(), values[i]);
    if (is_same) return it->second.segment;
  }
  return nullptr;
}

std::shared_ptr<Segment> Segment::keep_next(std::vector<std::shared_ptr<const Tensor>> values,
                                            std::shared_ptr<Segment> next) {
  const std::vector<TensorView> views = views_of(values);
  if (std::shared_ptr<Segment> other = find_next(views)) return other;
  const std::unique_lock lock(next_mutex_);
  if (next_.size() >= kMaxNext) next_.clear();
  next_.emplace(hash_of(views), Next{std::move(values), next});
  return next;
}

}  // namespace slipway
