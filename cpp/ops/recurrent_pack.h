// How the vectorised GRU, LSTM and RNN lay out weights and scratch. For prepare (any instruction set) and for kernels,
// so nothing here is exported.
//
// Sums of gates stand in blocks: some units (one vector, or two where there is but one gate), and of these the gates
// one after the other, so that a step has all it needs of a unit in registers. Units that fill no block take one
// vector for all their gates where they fit into it, else a block padded with zero weights. A row of sums, one sequence
// at one step, is
//     GRU   blocks of [z, r, h]; without linear_before_reset blocks of [z, r], then blocks of [h]
//     LSTM  blocks of [i, o, f, c]
//     RNN   blocks of [h]
// and ends with a vector of zeros, since the gates of a narrow block are read as whole vectors too.
#pragma once

#include "ops/recurrent.h"
#include "simd/panels.h"

namespace slipway {

/// Sequences are run in groups; each group has room for this many rows of sums more than it has sequences, so that few
/// long sequences have several steps in one product of inputs.
static constexpr int64_t kRecurrentRows = 24;

/// Gates [first, first + gates) of all units, in blocks.
struct GateColumns {
  int64_t first;
  int64_t gates;
  int64_t hidden;
  int64_t units;        ///< of a whole block
  int64_t whole;        ///< blocks
  int64_t rest;         ///< units after them
  int64_t rest_stride;  ///< between the gates of these
  int64_t rest_width;   ///< of their block

  [[gnu::always_inline]] GateColumns(int64_t first_gate, int64_t count, int64_t size, int64_t lanes) noexcept
      : first(first_gate),
        gates(count),
        hidden(size),
        units(count == 1 ? 2 * lanes : lanes),
        whole(size / units),
        rest(size % units),
        rest_stride(count * rest <= lanes ? rest : units),
        rest_width(rest == 0               ? 0
                   : count * rest <= lanes ? lanes
                                           : count * units) {}

  [[nodiscard, gnu::always_inline]] int64_t blocks() const noexcept { return whole + (rest > 0 ? 1 : 0); }
  [[nodiscard, gnu::always_inline]] int64_t width(int64_t block) const noexcept {
    return block < whole ? gates * units : rest_width;
  }
  /// Between the gates of a block.
  [[nodiscard, gnu::always_inline]] int64_t stride(int64_t block) const noexcept {
    return block < whole ? units : rest_stride;
  }
  /// Units of a block.
  [[nodiscard, gnu::always_inline]] int64_t count(int64_t block) const noexcept { return block < whole ? units : rest; }
  /// Of all blocks.
  [[nodiscard, gnu::always_inline]] int64_t columns() const noexcept { return whole * gates * units + rest_width; }
  /// The row of ONNX's weights that stands in this column, or -1.
  [[nodiscard]] int64_t source(int64_t column) const noexcept {
    const int64_t block = column / (gates * units) < whole ? column / (gates * units) : whole;
    const int64_t place = column - block * gates * units;
    const int64_t gate = place / stride(block);
    const int64_t unit = block * units + place % stride(block);
    return gate < gates && unit < hidden ? (first + gate) * hidden + unit : -1;
  }
};

/// Places of the packed weights of one direction, in floats.
struct RecurrentPacking {
  bool is_split;       ///< GRU without linear_before_reset, whose R_h meets r * H instead of H
  GateColumns gates;   ///< all, or where split all but the last
  GateColumns last;    ///< the last gate, used where split
  int64_t padded;      ///< of a state
  int64_t columns;     ///< of X W'
  int64_t row;         ///< of sums
  int64_t w_last;      ///< blocks of W, [D][width] each: those of the last gate, where split; the others stand at 0
  int64_t r;           ///< blocks of R, [H][width] each
  int64_t r_last;      ///< those of the last gate, where split
  int64_t bias;        ///< [columns]
  int64_t state_bias;  ///< [row]: Rb_h, where it may not be added to Wb_h
  int64_t size;

  [[gnu::always_inline]] RecurrentPacking(const Recurrent& sizes, int64_t lanes) noexcept
      : is_split(sizes.gates == 3 && !sizes.linear_before_reset),
        gates(0, sizes.gates - (is_split ? 1 : 0), sizes.hidden, lanes),
        last(sizes.gates - 1, 1, sizes.hidden, lanes),
        padded((sizes.hidden + 2 * lanes - 1) / (2 * lanes) * 2 * lanes),
        columns(gates.columns() + (is_split ? last.columns() : 0)),
        row(columns + lanes),
        w_last(sizes.features * gates.columns()),
        r(sizes.features * columns),
        r_last(r + sizes.hidden * gates.columns()),
        bias(r + sizes.hidden * columns),
        state_bias(bias + columns),
        size(state_bias + row) {}

  /// The row of ONNX's weights that stands in this column, or -1.
  [[nodiscard]] int64_t source(int64_t column) const noexcept {
    return column < gates.columns() ? gates.source(column) : last.source(column - gates.columns());
  }
};

/// Blocks of the transpose of some gates of `weights` [all gates * H, K].
[[maybe_unused]] static void pack_blocks(const GateColumns& gates, const float* weights, int64_t k,
                                         float* out) noexcept {
  for (int64_t block = 0, column = 0; block < gates.blocks(); ++block) {
    const int64_t width = gates.width(block);
    for (int64_t j = 0; j < width; ++j, ++column) {
      const int64_t source = gates.source(column);
      for (int64_t p = 0; p < k; ++p) out[p * width + j] = source < 0 ? 0.0f : weights[source * k + p];
    }
    out += width * k;
  }
}

/// `bias` may be null.
[[maybe_unused]] static void pack_bias(const Recurrent& sizes, const float* bias, const RecurrentPacking& at,
                                       float* out) noexcept {
  for (int64_t i = at.bias; i < at.size; ++i) out[i] = 0.0f;
  if (bias == nullptr) return;
  const int64_t rows = sizes.gates * sizes.hidden;
  for (int64_t column = 0; column < at.columns; ++column) {
    const int64_t source = at.source(column);
    if (source < 0) continue;
    const bool is_separate = sizes.linear_before_reset && source >= 2 * sizes.hidden;
    out[at.bias + column] = bias[source] + (is_separate ? 0.0f : bias[rows + source]);
    if (is_separate) out[at.state_bias + column] = bias[rows + source];
  }
}

/// Packs W, R and B (which may be null) of all directions.
[[maybe_unused]] static void pack_recurrent(const Recurrent& sizes, int64_t lanes, const float* w, const float* r,
                                            const float* bias, float* out) noexcept {
  const RecurrentPacking at(sizes, lanes);
  const int64_t rows = sizes.gates * sizes.hidden;
  for (int64_t d = 0; d < sizes.directions; ++d, out += at.size) {
    const float* inputs = w + d * rows * sizes.features;
    const float* states = r + d * rows * sizes.hidden;
    pack_blocks(at.gates, inputs, sizes.features, out);
    if (at.is_split) pack_blocks(at.last, inputs, sizes.features, out + at.w_last);
    pack_blocks(at.gates, states, sizes.hidden, out + at.r);
    if (at.is_split) pack_blocks(at.last, states, sizes.hidden, out + at.r_last);
    pack_bias(sizes, bias != nullptr ? bias + d * 2 * rows : nullptr, at, out);
  }
}

/// Places in scratch, in bytes; every direction has its own rows.
struct RecurrentScratch {
  static constexpr int64_t kStates = 3;  ///< H, the next H, and C or r * H

  int64_t groups;   ///< at most, of one direction
  int64_t rows;     ///< of inputs and sums, of one direction, all groups
  int64_t counts;   ///< [T + 2] of int32
  int64_t order;    ///< [N] of int32: sequences, longest first
  int64_t lengths;  ///< [N] of int32: of each sequence, read once, since the caller's may change
  int64_t packed;
  int64_t states;  ///< [directions, kStates, N, padded]
  int64_t sums;    ///< [directions, rows, row]
  int64_t inputs;  ///< [directions, rows] of pointers: rows of X
  int64_t found;   ///< [directions, N] of pointers: of each sequence the row of sums
  int64_t bytes;

  [[gnu::always_inline]] RecurrentScratch(const RecurrentPlan& plan, int64_t lanes) noexcept {
    const Recurrent& sizes = plan.sizes;
    const RecurrentPacking packing(sizes, lanes);
    groups = sizes.batch < 16 ? 1 : sizes.batch > 512 ? 64 : sizes.batch / 8;
    rows = plan.table != nullptr ? 0 : sizes.batch + groups * kRecurrentRows;
    counts = 0;
    order = counts + aligned(sizes.time + 2);
    lengths = order + aligned(sizes.batch);
    packed = lengths + aligned(sizes.batch);
    states = packed + (plan.packed != nullptr ? 0 : aligned(sizes.directions * packing.size));
    sums = states + aligned(sizes.directions * kStates * sizes.batch * packing.padded);
    inputs = sums + aligned(sizes.directions * rows * packing.row);
    found = inputs + aligned(sizes.directions * rows * 2);
    bytes = found + aligned(sizes.directions * sizes.batch * 2);
  }

 private:
  /// Bytes of n numbers of 32 bits, up to a multiple of 64.
  [[gnu::always_inline]] static int64_t aligned(int64_t n) noexcept { return (4 * n + 63) / 64 * 64; }
};

}  // namespace slipway
