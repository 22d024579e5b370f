// The sums of a network's convolutions that sum each channel alone: a vector of the input for each tap and pixel.
#pragma once

#include "ops/network_sums_simd.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// Pixels that share what is read of the weights and offsets.
constexpr int kDepthwisePixels = 4;

/// Row `row` of P pixels. Where lanes are samples, a channel has one weight for each tap.
template <int P, bool kHasSampleLanes>
[[gnu::always_inline]] inline void sum_depthwise(const Sums& sums, int64_t row, int64_t pixel) noexcept {
  const NetworkOp& op = sums.op;
  constexpr int64_t kWidth = kHasSampleLanes ? 1 : kLanes;
  const auto vector_of = [](const float* from) { return kHasSampleLanes ? broadcast(*from) : load(from); };
  const float* at[P];
#pragma GCC unroll 4
  for (int q = 0; q < P; ++q) at[q] = sums.in + row * op.in.row + op.in.pixels[pixel + q];
  const float* weights = op.weights + row * op.terms * kWidth;
  const Vec bias = vector_of(op.bias + row * kWidth);
  Vec total[1][P];
#pragma GCC unroll 4
  for (int q = 0; q < P; ++q) total[0][q] = bias;
  for (int64_t first = 0; first < op.terms; first += op.depth) {
    const int64_t end = op.terms - first < op.depth ? op.terms : first + op.depth;
    Vec sum[P] = {};
    for (int64_t p = first; p < end; ++p) {
      const int64_t offset = op.offsets[p];
      const Vec weight = vector_of(weights + p * kWidth);
#pragma GCC unroll 4
      for (int q = 0; q < P; ++q) sum[q] = fma(load(at[q] + offset), weight, sum[q]);
    }
#pragma GCC unroll 4
    for (int q = 0; q < P; ++q) total[0][q] += sum[q];
  }
  finish_sums<1, P, 1>(sums, row, pixel, total);
}

/// tile.operator()<P>(row, pixel) over pixels [begin, end) of rows [first, last): planes of channels, or the channels
/// of a pixel, are passed as they lie in memory.
template <bool kHasSampleLanes, typename Tile>
[[gnu::always_inline]] inline void each_tile(int64_t begin, int64_t end, int64_t first, int64_t last,
                                             const Tile& tile) noexcept {
  const auto at = [&](int64_t row, int64_t pixel) {
    if (end - begin < kDepthwisePixels) return tile.template operator()<1>(row, pixel);
    // The last tile takes up what the one before has done already.
    tile.template operator()<kDepthwisePixels>(row, end - pixel < kDepthwisePixels ? end - kDepthwisePixels : pixel);
  };
  const int64_t step = end - begin < kDepthwisePixels ? 1 : kDepthwisePixels;
  if constexpr (kHasSampleLanes) {
    for (int64_t row = first; row < last; ++row) {
      for (int64_t pixel = begin; pixel < end; pixel += step) at(row, pixel);
    }
  } else {
    for (int64_t pixel = begin; pixel < end; pixel += step) {
      for (int64_t row = first; row < last; ++row) at(row, pixel);
    }
  }
}

template <bool kHasSampleLanes>
void sum_depthwise_rows(const Sums& sums, int64_t begin, int64_t end, int64_t first, int64_t last) noexcept {
  each_tile<kHasSampleLanes>(begin, end, first, last, [&]<int P>(int64_t row, int64_t pixel) {
    sum_depthwise<P, kHasSampleLanes>(sums, row, pixel);
  });
}

/// Pixels [begin, end) of rows [first, last).
void sum_depthwise_part(const Sums& sums, bool has_sample_lanes, int64_t begin, int64_t end, int64_t first,
                        int64_t last) noexcept {
  (has_sample_lanes ? sum_depthwise_rows<true> : sum_depthwise_rows<false>)(sums, begin, end, first, last);
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA
