// What GRU, LSTM and RNN share, as their kernels see it: sizes, attributes, where a row lies in memory.
//
// Plain data and inlined functions, since vectorised files include it. What is allowed is in recurrent_rules.h, the
// walk over sequences and steps in recurrent_walk.h (scalar) and recurrent_simd.h (vectorised).
#pragma once

#include <cstdint>

#include "base/both.h"
#include "ops/call.h"

namespace slipway {

enum class ActivationKind : uint8_t {
  kRelu,
  kTanh,
  kSigmoid,
  kAffine,
  kLeakyRelu,
  kThresholdedRelu,
  kScaledTanh,
  kHardSigmoid,
  kElu,
  kSoftsign,
  kSoftplus,
};

struct GateActivation {
  ActivationKind kind = ActivationKind::kTanh;
  float alpha = 0.0f;
  float beta = 0.0f;
};

/// Inputs by position. kInitialC and kPeepholes are of LSTM alone. Where there is a table, an operator of domain
/// slipway, X holds the rows' numbers instead of the rows.
enum RecurrentInput : std::size_t { kX, kW, kR, kBias, kLengths, kInitialH, kInitialC, kPeepholes, kTable };
enum RecurrentOutput : std::size_t { kY, kLastH, kLastC };

/// Sequences have their own lengths (`sequence_lens`); a direction that runs backwards starts at a sequence's own last
/// step, and beyond its length nothing is read or computed and Y is zero. Length 0: Y zero, Y_h the initial state.
struct Recurrent {
  int64_t time = 0;      ///< T
  int64_t batch = 0;     ///< N
  int64_t features = 0;  ///< D, of the input
  int64_t hidden = 0;    ///< H
  int64_t directions = 1;
  int64_t gates = 1;
  int64_t vocabulary = -1;      ///< rows of the table; -1: there is none
  bool is_batch_first = false;  ///< X [N, T, D], Y [N, T, directions, H], states [N, directions, H]
  bool is_reverse = false;      ///< of direction 0; direction 1 always is
  bool linear_before_reset = false;
  bool input_forget = false;
  float clip = 0.0f;                 ///< infinity: none
  GateActivation activations[2][3];  ///< by direction: f, g, h of the formulas

  [[nodiscard, gnu::always_inline]] SLIPWAY_BOTH bool runs_backwards(int64_t direction) const noexcept {
    return direction == 1 || is_reverse;
  }
  /// Index of a row of X.
  [[nodiscard, gnu::always_inline]] SLIPWAY_BOTH int64_t x_at(int64_t t, int64_t n) const noexcept {
    return is_batch_first ? n * time + t : t * batch + n;
  }
  /// Row i of X: its number in the table. The same holds for length_of(): check_inputs() has found it to be one, and
  /// it is kept one for the case that another thread has written to the caller's memory meanwhile.
  [[nodiscard, gnu::always_inline]] int64_t table_row(const OpCall& call, int64_t i) const noexcept {
    const int64_t index = number_at(call, i);
    const int64_t row = index < 0 ? index + vocabulary : index;
    return row < 0 || row >= vocabulary ? 0 : row;
  }
  /// The D elements of row i of X.
  template <typename T>
  [[nodiscard, gnu::always_inline]] const T* x_row(const OpCall& call, int64_t i) const noexcept {
    if (vocabulary < 0) return call.inputs[kX].as<T>() + i * features;
    return call.inputs[kTable].as<T>() + table_row(call, i) * features;
  }
  [[nodiscard, gnu::always_inline]] SLIPWAY_BOTH int64_t y_at(int64_t t, int64_t direction, int64_t n) const noexcept {
    return (is_batch_first ? (n * time + t) * directions + direction : (t * directions + direction) * batch + n) *
           hidden;
  }
  [[nodiscard, gnu::always_inline]] SLIPWAY_BOTH int64_t state_at(int64_t direction, int64_t n) const noexcept {
    return (is_batch_first ? n * directions + direction : direction * batch + n) * hidden;
  }
  /// Steps of sequence n.
  [[nodiscard, gnu::always_inline]] int64_t length_of(const OpCall& call, int64_t n) const noexcept {
    const int64_t length = stated_length(call, n);
    return length < 0 ? 0 : length > time ? time : length;
  }
  /// False, and reported, where a number of X lies outside the table, as Gather has it, or a length outside [0, T].
  [[nodiscard, gnu::always_inline]] bool check_inputs(const OpCall& call) const noexcept {
    for (int64_t i = 0; vocabulary >= 0 && i < time * batch; ++i) {
      const int64_t index = number_at(call, i);
      if (index >= -vocabulary && index < vocabulary) continue;
      call.report("index", index, -vocabulary, vocabulary - 1);
      return false;
    }
    for (int64_t n = 0; n < batch; ++n) {
      const int64_t length = stated_length(call, n);
      if (length >= 0 && length <= time) continue;
      call.report("an entry of sequence_lens", length, 0, time);
      return false;
    }
    return true;
  }

 private:
  [[nodiscard, gnu::always_inline]] int64_t stated_length(const OpCall& call, int64_t n) const noexcept {
    return call.has_input(kLengths) ? call.inputs[kLengths].as<int32_t>()[n] : time;
  }
  [[nodiscard, gnu::always_inline]] static int64_t number_at(const OpCall& call, int64_t i) noexcept {
    const TensorView& x = call.inputs[kX];
    return x.dtype == DType::kInt64 ? x.as<int64_t>()[i] : x.as<int32_t>()[i];
  }
};

/// What prepare gives to run.
struct RecurrentPlan {
  Recurrent sizes;
  bool is_vectorised = false;     ///< false: the scalar kernel runs
  const float* packed = nullptr;  ///< weights as in recurrent_pack.h; null: every run packs them into scratch
  const float* table = nullptr;   ///< [directions, vocabulary, row]: the table's X W' + bias; null: computed by runs
};

namespace scalar {

void gru(const OpCall& call) noexcept;
void lstm(const OpCall& call) noexcept;
void rnn(const OpCall& call) noexcept;

}  // namespace scalar
}  // namespace slipway
