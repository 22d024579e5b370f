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

/// Pixels of a line that are summed at once: each input is read once for the K taps of a line that meet it. Eight sums
/// hide the latency of a multiply-add; K weights must fit beside them.
template <int K>
constexpr int kLinePixels = kLanes == 16 || K < 7 ? 8 : kFewLinePixels;

/// As sum_depthwise(), of P pixels beside each other that read from every S-th pixel on, by kernels of lines of K taps.
template <int P, int K, int S, bool kHasSampleLanes>
[[gnu::always_inline]] inline void sum_depthwise_line(const Sums& sums, int64_t row, int64_t pixel) noexcept {
  if constexpr (P == 1) return sum_depthwise<1, kHasSampleLanes>(sums, row, pixel);
  const NetworkOp& op = sums.op;
  constexpr int64_t kWidth = kHasSampleLanes ? 1 : kLanes;
  const auto vector_of = [](const float* from) { return kHasSampleLanes ? broadcast(*from) : load(from); };
  const float* at = sums.in + row * op.in.row + op.in.pixels[pixel];
  const float* weights = op.weights + row * op.terms * kWidth;
  Vec sum[P] = {};
  for (int64_t p = 0; p < op.terms; p += K, weights += K * kWidth) {
    const float* x = at + op.offsets[p];
    Vec weight[K];
#pragma GCC unroll 7
    for (int t = 0; t < K; ++t) weight[t] = vector_of(weights + t * kWidth);
#pragma GCC unroll 20
    for (int i = 0; i < (P - 1) * S + K; ++i, x += op.step) {
      const Vec input = load(x);
#pragma GCC unroll 7
      for (int t = 0; t < K; ++t) {
        const int q = (i - t) / S;
        if (i - t == q * S && q >= 0 && q < P) sum[q] = fma(input, weight[t], sum[q]);
      }
    }
  }
  const Vec bias = vector_of(op.bias + row * kWidth);
  Vec total[1][P];
#pragma GCC unroll 8
  for (int q = 0; q < P; ++q) total[0][q] = bias + sum[q];
  finish_sums<1, P, 1>(sums, row, pixel, total);
}

/// tile.operator()<P>(pixel) over pixels [begin, end), line by line of `width`.
template <int K, typename Tile>
[[gnu::always_inline]] inline void each_line(int64_t begin, int64_t end, int64_t width, const Tile& tile) noexcept {
  constexpr int kMost = kLinePixels<K>;
  for (int64_t from = begin; from < end;) {
    const int64_t to = from - from % width + width < end ? from - from % width + width : end;
    int64_t pixel = from;
    const auto next = [&]<int P>() {
      // A tile that would reach over the end takes up what the one before has done already.
      tile.template operator()<P>(to - pixel < P ? to - P : pixel);
      pixel += P;
    };
    while (pixel < to) {
      if (to - from >= kMost && to - pixel > kFewLinePixels) {
        next.template operator()<kMost>();
      } else if (to - from >= kFewLinePixels) {
        next.template operator()<kFewLinePixels>();
      } else {
        next.template operator()<1>();
      }
    }
    from = to;
  }
}

template <bool kHasSampleLanes, int K, int S>
void sum_depthwise_lines(const Sums& sums, int64_t begin, int64_t end, int64_t first, int64_t last) noexcept {
  if constexpr (kHasSampleLanes) {
    for (int64_t row = first; row < last; ++row) {
      each_line<K>(begin, end, sums.op.width,
                   [&]<int P>(int64_t pixel) { sum_depthwise_line<P, K, S, true>(sums, row, pixel); });
    }
  } else {
    each_line<K>(begin, end, sums.op.width, [&]<int P>(int64_t pixel) {
      for (int64_t row = first; row < last; ++row) sum_depthwise_line<P, K, S, false>(sums, row, pixel);
    });
  }
}

template <bool kHasSampleLanes>
void sum_depthwise_part(const Sums& sums, int64_t begin, int64_t end, int64_t first, int64_t last) noexcept {
  const auto part = [&] {
    const NetworkOp& op = sums.op;
    if (op.line == 3 && op.stride == 1) return sum_depthwise_lines<kHasSampleLanes, 3, 1>;
    if (op.line == 3 && op.stride == 2) return sum_depthwise_lines<kHasSampleLanes, 3, 2>;
    if (op.line == 5 && op.stride == 1) return sum_depthwise_lines<kHasSampleLanes, 5, 1>;
    if (op.line == 5 && op.stride == 2) return sum_depthwise_lines<kHasSampleLanes, 5, 2>;
    if (op.line == 7 && op.stride == 1) return sum_depthwise_lines<kHasSampleLanes, 7, 1>;
    return sum_depthwise_rows<kHasSampleLanes>;
  }();
  part(sums, begin, end, first, last);
}

/// Pixels [begin, end) of rows [first, last).
void sum_depthwise_part(const Sums& sums, bool has_sample_lanes, int64_t begin, int64_t end, int64_t first,
                        int64_t last) noexcept {
  (has_sample_lanes ? sum_depthwise_part<true> : sum_depthwise_part<false>)(sums, begin, end, first, last);
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA
