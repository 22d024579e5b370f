// Runs a Scan: its body once for each element of its sequences.
#include "ops/scan.h"

#include <cstring>

#include "base/error.h"
#include "base/interrupt.h"
#include "exec/repeat.h"
#include "exec/runner.h"

namespace slipway {

namespace {

struct Sizes {
  int64_t outer;
  int64_t length;
  int64_t inner;  // bytes
};

// [outer, length, inner] -> [length, outer, inner].
void bring_forward(const std::byte* from, const Sizes& sizes, std::byte* to) noexcept {
  for (int64_t t = 0; t < sizes.length; ++t) {
    for (int64_t o = 0; o < sizes.outer; ++o, to += sizes.inner)
      std::memcpy(to, from + (o * sizes.length + t) * sizes.inner, static_cast<std::size_t>(sizes.inner));
  }
}

// [length, outer, inner] -> [outer, length, inner].
void bring_back(const std::byte* from, const Sizes& sizes, std::byte* to) noexcept {
  for (int64_t o = 0; o < sizes.outer; ++o) {
    for (int64_t t = 0; t < sizes.length; ++t, to += sizes.inner)
      std::memcpy(to, from + (t * sizes.outer + o) * sizes.inner, static_cast<std::size_t>(sizes.inner));
  }
}

int axis_in(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) fail(Code::kFault, "axis ", axis, " does not fit rank ", rank);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

// One sequence of a run, its elements one behind the other.
struct Sequence {
  Buffer buffer;
  const std::byte* data = nullptr;
  TensorView element;
  int64_t bytes = 0;  // of one element
};

class Scan final : public Control {
 public:
  Scan(const Node& node, Runner& body)
      : body_(body),
        rules_(scan_rules(NodeReader(node))),
        repeat_(false, rules_.states, rules_.output_axes.size(), 0),
        sequences_(rules_.sequences),
        stacked_(rules_.output_axes.size()),
        inputs_(body.graph().inputs.size()) {
    for (std::size_t k = 0; k < rules_.output_reversed.size(); ++k) {
      if (rules_.output_reversed[k]) repeat_.reverse(k);
    }
  }

  void run(std::span<const TensorView> inputs, std::span<TensorView> results) override {
    const int64_t length = prepare_sequences(inputs);
    repeat_.start(inputs.first(rules_.states), true, length);
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs_[i] = inputs[i];
    for (std::size_t i = 0; i < sequences_.size(); ++i) inputs_[rules_.states + i] = sequences_[i].element;
    for (int64_t t = 0; t < length; ++t) {
      try {
        take_step(t, length);
      } catch (const Error& error) {
        throw error.at(concat("step ", t));
      }
    }
    for (std::size_t k = 0; k < results.size() && k < rules_.states; ++k) results[k] = repeat_.state(k);
    if (results.size() > rules_.states) stack(results.subspan(rules_.states), length);
  }

 private:
  int64_t prepare_sequences(std::span<const TensorView> inputs) {
    int64_t length = -1;
    for (std::size_t i = 0; i < sequences_.size(); ++i) {
      const TensorView& all = inputs[rules_.states + i];
      const int axis = axis_in(rules_.input_axes[i], all.shape.rank());
      if (length >= 0 && all.shape[axis] != length) {
        fail(Code::kFault, "its sequences have lengths ", length, " and ", all.shape[axis]);
      }
      length = all.shape[axis];
      prepare_sequence(sequences_[i], all, axis);
    }
    return length;
  }

  static void prepare_sequence(Sequence& sequence, const TensorView& all, int axis) {
    Shape shape;
    for (int i = 0; i < all.shape.rank(); ++i) {
      if (i != axis) shape.push_back(all.shape[i]);
    }
    sequence.bytes = shape.count() * size_of(all.dtype);
    sequence.data = all.as<std::byte>();
    sequence.element = {sequence.data, all.dtype, shape};
    if (axis == 0) return;
    reserve(sequence.buffer, all.bytes());
    const Sizes sizes{all.shape.count(0, axis), all.shape[axis],
                      all.shape.count(axis + 1, all.shape.rank()) * size_of(all.dtype)};
    bring_forward(sequence.data, sizes, sequence.buffer.data());
    sequence.data = sequence.buffer.data();
  }

  void take_step(int64_t t, int64_t length) {
    check_interrupt();
    for (std::size_t i = 0; i < rules_.states; ++i) inputs_[i] = repeat_.state(i);
    for (std::size_t i = 0; i < sequences_.size(); ++i) {
      const int64_t place = rules_.input_reversed[i] ? length - 1 - t : t;
      inputs_[rules_.states + i].data = sequences_[i].data + place * sequences_[i].bytes;
    }
    body_.run_inside(inputs_, repeat_);
    repeat_.advance();
  }

  void stack(std::span<TensorView> results, int64_t length) {
    if (length == 0) {
      const auto empty = empty_rows(body_.graph(), inputs_, rules_.states);
      for (std::size_t k = 0; k < results.size(); ++k)
        results[k] = {&repeat_, empty[k].first, moved(empty[k].second, k)};  // no byte of it is read
      return;
    }
    for (std::size_t k = 0; k < results.size(); ++k) {
      const TensorView rows = repeat_.rows(k);
      const int axis = axis_in(rules_.output_axes[k], rows.shape.rank());
      results[k] = rows;
      if (axis == 0) continue;
      reserve(stacked_[k], rows.bytes());
      const Sizes sizes{rows.shape.count(1, axis + 1), length,
                        rows.shape.count(axis + 1, rows.shape.rank()) * size_of(rows.dtype)};
      bring_back(rows.as<std::byte>(), sizes, stacked_[k].data());
      results[k] = {stacked_[k].data(), rows.dtype, moved(rows.shape, k)};
    }
  }

  // The first size stands at the output's axis instead.
  [[nodiscard]] Shape moved(const Shape& shape, std::size_t k) const {
    const int axis = axis_in(rules_.output_axes[k], shape.rank());
    Shape out = shape;
    for (int i = 0; i < axis; ++i) out[i] = shape[i + 1];
    out[axis] = shape[0];
    return out;
  }

  Runner& body_;
  ScanRules rules_;
  Repeat repeat_;
  std::vector<Sequence> sequences_;
  std::vector<Buffer> stacked_;
  std::vector<TensorView> inputs_;  // of the body
};

}  // namespace

std::unique_ptr<Control> make_scan(const Node& node, Runner& body) { return std::make_unique<Scan>(node, body); }

}  // namespace slipway
