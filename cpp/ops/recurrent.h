// What GRU, LSTM and RNN share, as their kernels see it: sizes, attributes, where a row lies in memory.
//
// Plain data and inlined functions, since vectorised files include it. What is allowed is in recurrent_rules.h, the
// walk over sequences and steps in recurrent_walk.h (scalar) and recurrent_simd.h (vectorised).
#pragma once

#include <cstdint>

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

struct Activation {
  ActivationKind kind = ActivationKind::kTanh;
  float alpha = 0.0f;
  float beta = 0.0f;
};

/// Inputs by position; the last two are of LSTM alone.
enum RecurrentInput : std::size_t { kX, kW, kR, kBias, kLengths, kInitialH, kInitialC, kPeepholes };
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
  bool is_batch_first = false;  ///< X [N, T, D], Y [N, T, directions, H], states [N, directions, H]
  bool is_reverse = false;      ///< of direction 0; direction 1 always is
  bool linear_before_reset = false;
  bool input_forget = false;
  float clip = 0.0f;             ///< infinity: none
  Activation activations[2][3];  ///< by direction: f, g, h of the formulas

  [[nodiscard, gnu::always_inline]] bool runs_backwards(int64_t direction) const noexcept {
    return direction == 1 || is_reverse;
  }
  /// Index of the first element of a row of X.
  [[nodiscard, gnu::always_inline]] int64_t x_at(int64_t t, int64_t n) const noexcept {
    return (is_batch_first ? n * time + t : t * batch + n) * features;
  }
  [[nodiscard, gnu::always_inline]] int64_t y_at(int64_t t, int64_t direction, int64_t n) const noexcept {
    return (is_batch_first ? (n * time + t) * directions + direction : (t * directions + direction) * batch + n) *
           hidden;
  }
  [[nodiscard, gnu::always_inline]] int64_t state_at(int64_t direction, int64_t n) const noexcept {
    return (is_batch_first ? n * directions + direction : direction * batch + n) * hidden;
  }
  /// Steps of sequence n.
  [[nodiscard, gnu::always_inline]] int64_t length_of(const OpCall& call, int64_t n) const noexcept {
    return call.has_input(kLengths) ? call.inputs[kLengths].as<int32_t>()[n] : time;
  }
  /// False, and reported, where a length lies outside [0, T].
  [[nodiscard, gnu::always_inline]] bool check_lengths(const OpCall& call) const noexcept {
    for (int64_t n = 0; n < batch; ++n) {
      const int64_t length = length_of(call, n);
      if (length >= 0 && length <= time) continue;
      call.report("an entry of sequence_lens", length, 0, time);
      return false;
    }
    return true;
  }
};

/// What prepare gives to run.
struct RecurrentPlan {
  Recurrent sizes;
  bool is_vectorised = false;     ///< false: the scalar kernel runs
  const float* packed = nullptr;  ///< weights as in recurrent_pack.h; null: every run packs them into scratch
};

namespace scalar {

void gru(const OpCall& call) noexcept;
void lstm(const OpCall& call) noexcept;
void rnn(const OpCall& call) noexcept;

}  // namespace scalar
}  // namespace slipway
