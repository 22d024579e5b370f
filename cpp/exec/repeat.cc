#include "exec/repeat.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "ops/body.h"
#include "ops/shapes.h"

namespace slipway {

Repeat::Repeat(bool has_condition, std::size_t states, std::size_t rows, std::size_t first_state)
    : lead_(has_condition ? 1 : 0), first_state_(first_state), states_(states), rows_(rows) {}

void Repeat::start(std::span<const TensorView> states, bool keep_shapes, int64_t expected) {
  keep_shapes_ = keep_shapes;
  expected_ = expected;
  steps_ = 0;
  condition_[0] = 1;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    states_[i].now = states[i];
    states_[i].is_updated = false;  // where the run before failed in the middle of a step
  }
}

void Repeat::prepare(std::size_t k, DType dtype, const Shape& shape) {
  if (k >= lead_ + states_.size()) return prepare_row(k - lead_ - states_.size(), dtype, shape);
  if (k >= lead_) return prepare_state(k - lead_, dtype, shape);
  if (shape.count() != 1) fail(Code::kFault, "the condition has shape ", shape.text(), ", expected one element");
}

void Repeat::prepare_update(std::size_t k, DType dtype, const Shape& shape, std::size_t input) {
  const bool is_state = k >= lead_ && k < lead_ + states_.size() && input == first_state_ + (k - lead_);
  if (!is_state || steps_ == 0) return prepare(k, dtype, shape);
  State& state = states_[k - lead_];
  state.next = state.now;
  state.is_updated = true;
}

void Repeat::prepare_state(std::size_t i, DType dtype, const Shape& shape) {
  State& state = states_[i];
  if (keep_shapes_ && shape != state.now.shape) {
    fail(Code::kFault, "state ", i, " changes its shape from ", state.now.shape.text(), " to ", shape.text());
  }
  Buffer& buffer = state.buffers[state.free];
  reserve(buffer, shape.checked_bytes(size_of(dtype)));
  state.next = {buffer.data(), dtype, shape};
}

void Repeat::prepare_row(std::size_t i, DType dtype, const Shape& shape) {
  Rows& rows = rows_[i];
  if (steps_ == 0) {
    if (shape.rank() == kMaxRank) fail(Code::kUnsupported, "stacks rows of more than ", kMaxRank - 1, " dimensions");
    rows.dtype = dtype;
    rows.shape = shape;
    rows.bytes = shape.checked_bytes(size_of(dtype));
  } else if (rows.shape != shape) {
    fail(Code::kFault, "row ", i, " changes its shape from ", rows.shape.text(), " to ", shape.text());
  }
  const int64_t needed = checked_multiply(std::max(expected_, steps_ + 1), rows.bytes);
  if (rows.buffer.bytes() >= std::max<int64_t>(needed, 1)) return;
  Buffer larger(std::max({needed, 2 * rows.buffer.bytes(), int64_t{1}}));
  if (steps_ > 0) std::memcpy(larger.data(), rows.buffer.data(), static_cast<std::size_t>(steps_ * rows.bytes));
  rows.buffer = std::move(larger);
}

void* Repeat::address(std::size_t k) const noexcept {
  if (k < lead_) return const_cast<unsigned char*>(condition_);
  if (k < lead_ + states_.size()) return const_cast<void*>(states_[k - lead_].next.data);
  const Rows& rows = rows_[k - lead_ - states_.size()];
  const int64_t place = rows.is_reversed ? expected_ - 1 - steps_ : steps_;
  return const_cast<std::byte*>(rows.buffer.data()) + place * rows.bytes;
}

void Repeat::advance() noexcept {
  for (State& state : states_) {
    state.now = state.next;
    if (!std::exchange(state.is_updated, false)) state.free = 1 - state.free;
  }
  ++steps_;
}

TensorView Repeat::rows(std::size_t i) const noexcept {
  const Rows& rows = rows_[i];
  Shape shape{steps_};
  for (const int64_t size : rows.shape.sizes()) shape.push_back(size);
  return {rows.buffer.data(), rows.dtype, shape};
}

void reserve(Buffer& buffer, int64_t bytes) {
  bytes = std::max<int64_t>(bytes, 1);
  if (buffer.bytes() < bytes) buffer = Buffer(bytes);
}

namespace {

std::vector<Fact> output_facts(const Graph& body, std::span<const TensorView> inputs) {
  std::vector<Fact> facts;
  for (const TensorView& input : inputs)
    facts.push_back({input.dtype, Dims(input.shape.sizes().begin(), input.shape.sizes().end()), nullptr});
  try {
    return outputs_of(body, infer_body(body, facts));
  } catch (const Error&) {
    // A body that could not have run with these shapes does not run: what was known at load must do.
    facts.clear();
    for (const Value& value : body.values) facts.push_back(value.fact);
    return outputs_of(body, facts);
  }
}

}  // namespace

std::vector<std::pair<DType, Shape>> empty_rows(const Graph& body, std::span<const TensorView> inputs,
                                                std::size_t first) {
  std::vector<std::pair<DType, Shape>> out;
  const std::vector<Fact> facts = output_facts(body, inputs);
  for (std::size_t k = first; k < facts.size(); ++k) {
    Shape shape{0};
    if (facts[k].dims && facts[k].dims->size() < kMaxRank) {
      for (const Dim& dim : *facts[k].dims) shape.push_back(dim.is_known() ? dim.value() : 0);
    }
    out.emplace_back(facts[k].dtype, shape);
  }
  return out;
}

}  // namespace slipway
