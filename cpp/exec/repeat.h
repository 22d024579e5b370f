// What a body makes that runs again and again: states, which the next step reads, and rows, which are stacked.
#pragma once

#include <vector>

#include "base/tensor.h"
#include "exec/control.h"
#include "ops/op.h"

namespace slipway {

/// Outputs of a body in this order: a condition, if it has one; states; rows. Each state has two buffers, one that a
/// step reads while it writes the other, unless it updates the first in place. Memory is kept for the next run.
class Repeat final : public Outputs {
 public:
  /// `first_state`: place of the first state among the body's inputs.
  Repeat(bool has_condition, std::size_t states, std::size_t rows, std::size_t first_state);

  /// Before the first step. `expected` steps, where known, or 0: memory for so many rows is taken at once.
  void start(std::span<const TensorView> states, bool keep_shapes, int64_t expected);
  void prepare(std::size_t k, DType dtype, const Shape& shape) override;
  /// A state's new value takes the memory of the old one, but for the first step, which reads the caller's.
  void prepare_update(std::size_t k, DType dtype, const Shape& shape, std::size_t input) override;
  [[nodiscard]] void* address(std::size_t k) const noexcept override;
  /// After a step: what it made as states is what the next reads.
  void advance() noexcept;

  /// Whether row k of step t stands at t or, of `expected`, at expected - 1 - t.
  void reverse(std::size_t row) { rows_[row].is_reversed = true; }

  [[nodiscard]] bool condition() const noexcept { return condition_[0] != 0; }
  [[nodiscard]] int64_t steps() const noexcept { return steps_; }
  [[nodiscard]] const TensorView& state(std::size_t i) const noexcept { return states_[i].now; }
  /// All rows so far, stacked along axis 0; only after a step.
  [[nodiscard]] TensorView rows(std::size_t i) const noexcept;

 private:
  struct State {
    TensorView now;
    TensorView next;
    Buffer buffers[2];
    int free = 0;             ///< which buffer the step writes
    bool is_updated = false;  ///< the step writes where it reads
  };
  struct Rows {
    Buffer buffer;
    DType dtype = DType::kNone;
    Shape shape;  ///< of one
    int64_t bytes = 0;
    bool is_reversed = false;
  };

  void prepare_state(std::size_t i, DType dtype, const Shape& shape);
  void prepare_row(std::size_t i, DType dtype, const Shape& shape);

  std::size_t lead_;  ///< 1 with a condition
  std::size_t first_state_;
  bool keep_shapes_ = false;
  int64_t steps_ = 0;
  int64_t expected_ = 0;
  unsigned char condition_[1] = {1};
  std::vector<State> states_;
  std::vector<Rows> rows_;
};

/// At least `bytes` of memory in `buffer`; what was in it is lost.
void reserve(Buffer& buffer, int64_t bytes);

/// What the rows of a body would be without a step: for each output from `first` on its type and the shape of none
/// of them stacked. Sizes that do not follow from the inputs are 0.
[[nodiscard]] std::vector<std::pair<DType, Shape>> empty_rows(const Graph& body, std::span<const TensorView> inputs,
                                                              std::size_t first);

}  // namespace slipway
