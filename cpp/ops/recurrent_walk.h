// The walk of the scalar GRU, LSTM and RNN: direction by direction, sequence by sequence, step by step.
//
// States stay in double from step to step and are rounded where they are written.
#pragma once

#include <algorithm>
#include <cmath>

#include "ops/recurrent_activation.h"

namespace slipway::scalar {

/// The weights of one direction, and the sums of the formulas.
template <typename T>
struct RecurrentCell {
  const Recurrent& sizes;
  const GateActivation* activations;
  const T* w;          // [gates * H, D]
  const T* r;          // [gates * H, H]
  const T* bias;       // [2 * gates * H]: Wb, then Rb; null: zero
  const T* peepholes;  // [3 * H]; null: zero

  RecurrentCell(const OpCall& call, const Recurrent& from, int64_t direction) noexcept
      : sizes(from),
        activations(from.activations[direction]),
        w(part<T>(call, kW, direction)),
        r(part<T>(call, kR, direction)),
        bias(part<T>(call, kBias, direction)),
        peepholes(part<T>(call, kPeepholes, direction)) {}

  /// X_t W_g^T + Wb_g, its element j.
  [[nodiscard]] double input_sum(int64_t gate, int64_t j, const T* x) const noexcept {
    const int64_t row = gate * sizes.hidden + j;
    double sum = bias != nullptr ? bias[row] : T{0};
    for (int64_t i = 0; i < sizes.features; ++i) sum += static_cast<double>(x[i]) * w[row * sizes.features + i];
    return sum;
  }
  /// H R_g^T + Rb_g, its element j.
  [[nodiscard]] double state_sum(int64_t gate, int64_t j, const double* h) const noexcept {
    const int64_t row = gate * sizes.hidden + j;
    double sum = bias != nullptr ? bias[(sizes.gates * sizes.hidden) + row] : T{0};
    for (int64_t i = 0; i < sizes.hidden; ++i) sum += h[i] * r[row * sizes.hidden + i];
    return sum;
  }
  [[nodiscard]] double peephole(int64_t gate, int64_t j) const noexcept {
    return peepholes != nullptr ? peepholes[gate * sizes.hidden + j] : T{0};
  }
  /// Activation 0, 1, 2 is f, g, h of the formulas; its argument is clipped.
  [[nodiscard]] double activate_clipped(int which, double sum) const noexcept {
    const double clip = sizes.clip;
    return activate(activations[which], std::clamp(sum, -clip, clip));
  }

 private:
  template <typename Element>
  static const Element* part(const OpCall& call, std::size_t input, int64_t direction) noexcept {
    if (!call.has_input(input)) return nullptr;
    const TensorView& view = call.inputs[input];
    return view.as<Element>() + direction * view.shape.count(1, view.shape.rank());
  }
};

/// The state of one sequence, in scratch. `work` is the operator's own, kWorkRows rows of H.
struct RecurrentState {
  static constexpr int64_t kWorkRows = 4;
  double* h;
  double* c;
  double* work;

  /// Doubles of scratch.
  [[nodiscard]] static int64_t size(const Recurrent& sizes) noexcept { return (2 + kWorkRows) * sizes.hidden; }
};

template <typename T>
void read_state(const OpCall& call, std::size_t input, int64_t at, int64_t hidden, double* state) noexcept {
  if (!call.has_input(input)) {
    std::fill_n(state, hidden, 0.0);
  } else {
    std::copy_n(call.inputs[input].as<T>() + at, hidden, state);
  }
}

template <typename T>
void write_state(const OpCall& call, std::size_t output, int64_t at, int64_t hidden, const double* state) noexcept {
  if (!call.has_output(output)) return;
  T* y = call.outputs[output].as<T>() + at;
  for (int64_t j = 0; j < hidden; ++j) y[j] = static_cast<T>(state[j]);
}

/// Runs sequence n in one direction. `step(cell, x, state)` replaces the state by the next one.
template <typename T, typename Step>
void walk_sequence(const OpCall& call, const RecurrentCell<T>& cell, int64_t direction, int64_t n,
                   const RecurrentState& state, const Step& step) noexcept {
  const Recurrent& sizes = cell.sizes;
  const int64_t length = sizes.length_of(call, n);
  const int64_t at = sizes.state_at(direction, n);
  read_state<T>(call, kInitialH, at, sizes.hidden, state.h);
  read_state<T>(call, kInitialC, at, sizes.hidden, state.c);
  for (int64_t i = 0; i < length; ++i) {
    const int64_t t = sizes.runs_backwards(direction) ? length - 1 - i : i;
    step(cell, sizes.x_row<T>(call, sizes.x_at(t, n)), state);
    if (call.has_output(kY)) write_state<T>(call, kY, sizes.y_at(t, direction, n), sizes.hidden, state.h);
  }
  for (int64_t t = length; call.has_output(kY) && t < sizes.time; ++t) {
    std::fill_n(call.outputs[kY].as<T>() + sizes.y_at(t, direction, n), sizes.hidden, T{0});
  }
  write_state<T>(call, kLastH, at, sizes.hidden, state.h);
  write_state<T>(call, kLastC, at, sizes.hidden, state.c);
}

template <typename T, typename Step>
void walk_batch(const OpCall& call, const Recurrent& sizes, const Step& step) noexcept {
  if (!sizes.check_inputs(call)) return;
  auto* memory = reinterpret_cast<double*>(call.scratch);
  const RecurrentState state{memory, memory + sizes.hidden, memory + 2 * sizes.hidden};
  for (int64_t direction = 0; direction < sizes.directions; ++direction) {
    const RecurrentCell<T> cell(call, sizes, direction);
    for (int64_t n = 0; n < sizes.batch; ++n) walk_sequence(call, cell, direction, n, state, step);
  }
}

}  // namespace slipway::scalar
