// The sums of a network's convolutions of groups that are narrower than a vector: lanes are channels, and each reads
// those of its group, one after the other.
#pragma once

#include "ops/network_depthwise_simd.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// Row `row` of P pixels.
template <int P>
[[gnu::always_inline]] inline void sum_grouped(const Sums& sums, int64_t row, int64_t pixel) noexcept {
  const NetworkOp& op = sums.op;
  const int64_t taps = op.terms / op.fellows;
  VecInt places{};
  for (int i = 0; i < kLanes; ++i) places[i] = i & -static_cast<int32_t>(op.fellows);
  const float* at[P];
#pragma GCC unroll 4
  for (int q = 0; q < P; ++q) at[q] = sums.in + row * op.in.row + op.in.pixels[pixel + q];
  const float* weights = op.weights + row * op.terms * kLanes;
  const Vec bias = load(op.bias + row * kLanes);
  Vec total[1][P];
#pragma GCC unroll 4
  for (int q = 0; q < P; ++q) total[0][q] = bias;
  Vec sum[P] = {};
  int64_t left = op.depth;
  for (int64_t fellow = 0; fellow < op.fellows; ++fellow) {
    const VecInt from = places + static_cast<int32_t>(fellow);
    for (int64_t tap = 0; tap < taps; ++tap, weights += kLanes) {
      const int64_t offset = op.offsets[tap];
      const Vec weight = load(weights);
#pragma GCC unroll 4
      for (int q = 0; q < P; ++q) sum[q] = fma(take_lanes(load(at[q] + offset), from), weight, sum[q]);
      if (--left > 0) continue;
      left = op.depth;
#pragma GCC unroll 4
      for (int q = 0; q < P; ++q) {
        total[0][q] += sum[q];
        sum[q] = Vec{};
      }
    }
  }
#pragma GCC unroll 4
  for (int q = 0; q < P; ++q) {
    if (left < op.depth) total[0][q] += sum[q];
  }
  finish_sums<1, P, 1>(sums, row, pixel, total);
}

/// Pixels [begin, end) of all rows.
void sum_grouped_part(const Sums& sums, int64_t begin, int64_t end) noexcept {
  each_tile<false>(begin, end, 0, sums.op.rows,
                   [&]<int P>(int64_t row, int64_t pixel) { sum_grouped<P>(sums, row, pixel); });
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA
