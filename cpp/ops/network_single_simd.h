// The sums of a network at a single pixel of one sample: blocks of terms side by side, as one alone would wait for each
// of its additions. The bits are those of the blocks one after the other.
#pragma once

#include "ops/network_sums_simd.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// Blocks side by side: their sums, and where their next terms are.
template <int V, int T, int C>
struct Chains {
  Vec sum[C][V + 1] = {};
  Half tail[C] = {};
  const float* weights[C];
  const int32_t* offsets[C];
};

/// Adds `count` terms to each of the first N chains.
template <int N, int V, int T, int C>
[[gnu::always_inline]] inline void add_terms(Chains<V, T, C>& chains, const float* in, int64_t next,
                                             int64_t count) noexcept {
  for (int64_t p = 0; p < count; ++p) {
#pragma GCC unroll 4
    for (int c = 0; c < N; ++c) {
      const float x = in[*chains.offsets[c]++];
      const float* weights = chains.weights[c];
#pragma GCC unroll 4
      for (int i = 0; i < V; ++i) chains.sum[c][i] = fma(broadcast(x), load(weights + i * next), chains.sum[c][i]);
      if constexpr (T > 0) chains.tail[c] = (x - Half{}) * load_half(weights + V * next) + chains.tail[c];
      chains.weights[c] += kLanes;
    }
  }
}

/// Adds C blocks from term `first` on to the total, the last of which may be shorter.
template <int V, int T, int C>
[[gnu::always_inline]] inline void add_chains(const NetworkOp& op, const float* in, const float* weights, int64_t first,
                                              Vec (&total)[V + T]) noexcept {
  const int64_t next = op.terms * kLanes;
  Chains<V, T, C> chains;
#pragma GCC unroll 4
  for (int c = 0; c < C; ++c) {
    chains.weights[c] = weights + (first + c * op.depth) * kLanes;
    chains.offsets[c] = op.offsets + first + c * op.depth;
  }
  const int64_t left = op.terms - first - (C - 1) * op.depth;
  const int64_t shared = left < op.depth ? left : op.depth;
  add_terms<C>(chains, in, next, shared);
  if constexpr (C > 1) add_terms<C - 1>(chains, in, next, op.depth - shared);
#pragma GCC unroll 4
  for (int c = 0; c < C; ++c) {
#pragma GCC unroll 4
    for (int i = 0; i < V; ++i) total[i] += chains.sum[c][i];
    if constexpr (T > 0) total[V] += widen(chains.tail[c]);
  }
}

using SingleTile = void (*)(const Sums&, int64_t row) noexcept;

/// V vectors of rows from `row` on, and T halves of one after them.
template <int V, int T>
void sum_single(const Sums& sums, int64_t row) noexcept {
  constexpr int kChains = V + T > 2 ? 2 : 4;
  const NetworkOp& op = sums.op;
  const float* in = sums.in + op.in.pixels[0];
  const float* weights = op.weights + row * op.terms * kLanes;
  Vec total[V + T];
#pragma GCC unroll 4
  for (int i = 0; i < V + T; ++i) total[i] = load(op.bias + (row + i) * kLanes);
  int64_t first = 0;
  if constexpr (kChains == 4) {
    for (; first + 3 * op.depth < op.terms; first += 4 * op.depth) add_chains<V, T, 4>(op, in, weights, first, total);
  }
  for (; first + op.depth < op.terms; first += 2 * op.depth) add_chains<V, T, 2>(op, in, weights, first, total);
  if (first < op.terms) add_chains<V, T, 1>(op, in, weights, first, total);
  float* out = sums.out + op.out.pixels[0] + row * op.out.row;
  const float* other = sums.other != nullptr ? sums.other + op.other.pixels[0] + row * op.other.row : nullptr;
#pragma GCC unroll 4
  for (int i = 0; i < V + T; ++i) {
    if (other != nullptr) total[i] += load(other + i * op.other.row);
    store(out + i * op.out.row, activate(op.activation, total[i]));
  }
}

constexpr SingleTile kSingleTiles[2][4] = {{sum_single<1, 0>, sum_single<2, 0>,
#if SLIPWAY_LANES == 16
                                            sum_single<3, 0>, sum_single<4, 0>},
                                           {sum_single<0, 1>, sum_single<1, 1>, sum_single<2, 1>, sum_single<3, 1>
#endif
                                           }};

/// Rows [first, last) of the one pixel.
void sum_single_part(const Sums& sums, int64_t first, int64_t last) noexcept {
  while (first < last) {
    const int64_t vectors = last - first < kMostVectors ? last - first : kMostVectors;
    const bool is_half = sums.op.ends_in_half && first + vectors == sums.op.rows;
    kSingleTiles[is_half ? 1 : 0][vectors - 1](sums, first);
    first += vectors;
  }
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA
