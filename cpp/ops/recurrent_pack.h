// How the vectorised GRU, LSTM and RNN lay out weights and scratch. For prepare (any instruction set) and for kernels,
// so nothing here is exported.
//
// A gate takes H rounded up to whole vectors, `padded`; what is added is zero and stays zero through every step. A row
// of sums, one sequence at one step, is
//     GRU   [h, z, r], and with linear_before_reset a fourth: H R_h' + Rb_h
//     LSTM  [i, o, f, c]
//     RNN   [h]
// so that one product adds X W' to the first gates, and one H R' to the last.
#pragma once

#include "ops/recurrent.h"
#include "simd/panels.h"

namespace slipway {

/// Sequences are run in groups; each group has room for this many rows of sums more than it has sequences, so that few
/// long sequences have several steps in one product of inputs.
static constexpr int64_t kRecurrentRows = 24;

/// Places of the packed weights of one direction, in floats.
struct RecurrentPacking {
  int64_t padded;      ///< of a gate
  int64_t sums;        ///< of a row: one or four gates
  int64_t r;           ///< panels of R; those of W stand at 0
  int64_t r_last;      ///< GRU without linear_before_reset: those of R_h, which meets r * H instead of H
  int64_t bias;        ///< [gates], in the order of a row
  int64_t state_bias;  ///< Rb_h, where it may not be added to Wb_h
  int64_t size;

  [[gnu::always_inline]] RecurrentPacking(const Recurrent& sizes, int64_t lanes) noexcept
      : padded(panel_columns(sizes.hidden, lanes)),
        sums((sizes.gates + (sizes.linear_before_reset ? 1 : 0)) * padded),
        r(sizes.features * sizes.gates * padded),
        r_last(r + sizes.hidden * 2 * padded),
        bias(r + sizes.hidden * sizes.gates * padded),
        state_bias(bias + sizes.gates * padded),
        size(state_bias + padded) {}
};

/// The gate of ONNX that stands at place i of a row.
[[gnu::always_inline]] static inline int64_t gate_at(const Recurrent& sizes, int64_t i) noexcept {
  return sizes.gates == 3 ? (i + 2) % 3 : i;
}

/// Panels of the transpose of `count` gates of `weights` [gates * H, K], gate i of them being order[i].
[[maybe_unused]] static void pack_gates(const float* weights, const int64_t* order, int64_t count, int64_t hidden,
                                        int64_t k, int64_t lanes, float* out) noexcept {
  const int64_t padded = panel_columns(hidden, lanes);
  for (int64_t begin = 0; begin < count * padded; begin += 2 * lanes) {
    const int64_t width = count * padded - begin > lanes ? 2 * lanes : lanes;
    for (int64_t j = 0; j < width; ++j) {
      const int64_t unit = (begin + j) % padded;
      const float* row = weights + (order[(begin + j) / padded] * hidden + unit) * k;
      for (int64_t p = 0; p < k; ++p) out[p * width + j] = unit < hidden ? row[p] : 0.0f;
    }
    out += width * k;
  }
}

[[maybe_unused]] static void pack_bias(const Recurrent& sizes, const float* bias, const RecurrentPacking& at,
                                       float* out) noexcept {
  for (int64_t i = at.bias; i < at.size; ++i) out[i] = 0.0f;
  if (bias == nullptr) return;
  const float* state = bias + sizes.gates * sizes.hidden;
  for (int64_t i = 0; i < sizes.gates; ++i) {
    const int64_t gate = gate_at(sizes, i);
    const bool is_separate = sizes.linear_before_reset && gate == 2;
    for (int64_t j = 0; j < sizes.hidden; ++j) {
      const float other = state[gate * sizes.hidden + j];
      out[at.bias + i * at.padded + j] = bias[gate * sizes.hidden + j] + (is_separate ? 0.0f : other);
      if (is_separate) out[at.state_bias + j] = other;
    }
  }
}

/// Packs W, R and B (which may be null) of all directions.
[[maybe_unused]] static void pack_recurrent(const Recurrent& sizes, int64_t lanes, const float* w, const float* r,
                                            const float* bias, float* out) noexcept {
  const RecurrentPacking at(sizes, lanes);
  const int64_t rows = sizes.gates * sizes.hidden;
  const int64_t onnx_order[] = {0, 1, 2, 3};
  const int64_t order[] = {gate_at(sizes, 0), gate_at(sizes, 1), gate_at(sizes, 2), 3};
  const bool is_split = sizes.gates == 3 && !sizes.linear_before_reset;
  for (int64_t d = 0; d < sizes.directions; ++d, out += at.size) {
    const float* state = r + d * rows * sizes.hidden;
    pack_gates(w + d * rows * sizes.features, order, sizes.gates, sizes.hidden, sizes.features, lanes, out);
    pack_gates(state, onnx_order, is_split ? 2 : sizes.gates, sizes.hidden, sizes.hidden, lanes, out + at.r);
    if (is_split) pack_gates(state, onnx_order + 2, 1, sizes.hidden, sizes.hidden, lanes, out + at.r_last);
    pack_bias(sizes, bias != nullptr ? bias + d * 2 * rows : nullptr, at, out);
  }
}

/// Places in scratch, in bytes; every direction has its own rows.
struct RecurrentScratch {
  int64_t groups;  ///< at most, of one direction
  int64_t rows;    ///< of sums and inputs, of one direction, all groups
  int64_t counts;  ///< [T + 2] of int32
  int64_t order;   ///< [N] of int32: sequences, longest first
  int64_t packed;
  int64_t states;  ///< [directions, 2, N, padded]: H, and C or r * H
  int64_t sums;    ///< [directions, rows, sums]
  int64_t inputs;  ///< [directions, rows, D]
  int64_t bytes;

  [[gnu::always_inline]] RecurrentScratch(const RecurrentPlan& plan, int64_t lanes) noexcept {
    const Recurrent& sizes = plan.sizes;
    const RecurrentPacking packing(sizes, lanes);
    groups = sizes.batch < 16 ? 1 : sizes.batch > 512 ? 64 : sizes.batch / 8;
    rows = sizes.batch + groups * kRecurrentRows;
    counts = 0;
    order = counts + aligned(sizes.time + 2);
    packed = order + aligned(sizes.batch);
    states = packed + (plan.packed != nullptr ? 0 : aligned(sizes.directions * packing.size));
    sums = states + aligned(sizes.directions * 2 * sizes.batch * packing.padded);
    inputs = sums + aligned(sizes.directions * rows * packing.sums);
    bytes = inputs + aligned(sizes.directions * rows * sizes.features);
  }

 private:
  /// Bytes of n numbers of 32 bits, up to a multiple of 64.
  [[gnu::always_inline]] static int64_t aligned(int64_t n) noexcept { return (4 * n + 63) / 64 * 64; }
};

}  // namespace slipway
