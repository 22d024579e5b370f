// The sums of a network's convolutions and dense layers: tiles of pixels by rows, held in registers.
#pragma once

#include "ops/activation_simd.h"
#include "ops/network.h"
#include "simd/panels.h"

namespace slipway::SLIPWAY_ISA {
namespace {

constexpr int kMostVectors = kLanes == 16 ? 4 : 2;
constexpr int kMostRows = static_cast<int>(even_rows(kLanes));

/// A kSums with its addresses.
struct Sums {
  const NetworkOp& op;
  const float* in;
  const float* other;
  float* out;
};

/// As max(), but NaN in either stays.
[[gnu::always_inline]] inline Vec largest(Vec a, Vec b) noexcept { return b != b ? b : max(a, b); }

/// Writes H rows of V pixels, or of V / 4 where four make one.
template <int H, int V, int W>
[[gnu::always_inline]] inline void write_sums(const Sums& sums, const ActivationCall& activation, int64_t row,
                                              int64_t pixel, Vec (&total)[H][V]) noexcept {
  const NetworkOp& op = sums.op;
#pragma GCC unroll 8
  for (int q = 0; q < V; q += W) {
    const int64_t j = pixel + q / W;
    float* out = sums.out + op.out.pixels[j] + row * op.out.row;
    const float* other = sums.other != nullptr ? sums.other + op.other.pixels[j] + row * op.other.row : nullptr;
#pragma GCC unroll 8
    for (int i = 0; i < H; ++i) {
      Vec y = total[i][q];
      if constexpr (W == 4) y = largest(largest(y, total[i][q + 1]), largest(total[i][q + 2], total[i][q + 3]));
      if (other != nullptr) y += load(other + i * op.other.row);
      store(out + i * op.out.row, activate(activation, y));
    }
  }
}

/// y = f(y) for `rows` rows of `pixels` pixels that are written.
[[gnu::noinline]] inline void activate_written(const Sums& sums, int64_t row, int64_t pixel, int64_t rows,
                                               int64_t pixels) noexcept {
  const NetworkPlace& place = sums.op.out;
  with_kind(sums.op.activation, [&](const ActivationCall& activation) {
    for (int64_t j = pixel; j < pixel + pixels; ++j) {
      float* y = sums.out + place.pixels[j] + row * place.row;
      for (int64_t i = 0; i < rows; ++i) store(y + i * place.row, activate(activation, load(y + i * place.row)));
    }
  });
}

/// A Relu is a Clip; of others, kNone.
[[gnu::always_inline]] inline ActivationCall bounds_of(const ActivationCall& activation) noexcept {
  if (activation.kind == Activation::kRelu) return {Activation::kClip, 0.0f, __builtin_inff()};
  return activation.kind == Activation::kClip ? activation : ActivationCall{};
}

/// The common activations without a decision for each vector; others stand in one place, since tiles are many.
template <int H, int V, int W>
[[gnu::always_inline]] inline void finish_sums(const Sums& sums, int64_t row, int64_t pixel,
                                               Vec (&total)[H][V]) noexcept {
  const ActivationCall bounds = bounds_of(sums.op.activation);
  if (bounds.kind == Activation::kClip) {
    return write_sums<H, V, W>(sums, {Activation::kClip, bounds.alpha, bounds.beta}, row, pixel, total);
  }
  write_sums<H, V, W>(sums, {}, row, pixel, total);
  if (sums.op.activation.kind != Activation::kNone) activate_written(sums, row, pixel, H, V / W);
}

/// total += the sums that `add` makes, for which it has the registers: else the compiler keeps the total there, and
/// puts aside what a loop reads in every turn.
template <int H, int V, typename Add>
[[gnu::always_inline]] inline void add_block(Vec (&total)[H][V], const Add& add) noexcept {
  Vec aside[H][V];
#pragma GCC unroll 8
  for (int i = 0; i < H; ++i) {
#pragma GCC unroll 8
    for (int q = 0; q < V; ++q) aside[i][q] = total[i][q];
  }
  asm volatile("" : "+m"(aside));
  Vec sum[H][V];
  add(sum);
#pragma GCC unroll 8
  for (int i = 0; i < H; ++i) {
#pragma GCC unroll 8
    for (int q = 0; q < V; ++q) total[i][q] = aside[i][q] + sum[i][q];
  }
}

using SumTile = void (*)(const Sums&, int64_t row, int64_t pixel) noexcept;

/// Adds terms [first, end), from zero; `a` moves on. Two in a turn, of whose instructions half are multiply-adds.
template <int H, int V>
[[gnu::always_inline]] inline void add_to_samples(const NetworkOp& op, const float* const (&at)[V], const float*& a,
                                                  int64_t first, int64_t end, Vec (&sum)[H][V]) noexcept {
#pragma GCC unroll 8
  for (int i = 0; i < H; ++i) {
#pragma GCC unroll 4
    for (int q = 0; q < V; ++q) sum[i][q] = Vec{};
  }
#pragma GCC unroll 2
  for (int64_t p = first; p < end; ++p, a += H) {
    const int64_t offset = op.offsets[p];
    // Of 16 registers the sums take twelve: three weights and a pixel fill the others, four pixels and a weight would
    // not fit.
    constexpr bool keeps_weights = kLanes < 16;
    Vec x[V];
    Vec weight[H];
    if constexpr (keeps_weights) {
#pragma GCC unroll 8
      for (int i = 0; i < H; ++i) weight[i] = broadcast(a[i]);
#pragma GCC unroll 4
      for (int q = 0; q < V; ++q) {
        x[q] = load(at[q] + offset);
#pragma GCC unroll 8
        for (int i = 0; i < H; ++i) sum[i][q] = fma(weight[i], x[q], sum[i][q]);
      }
    } else {
#pragma GCC unroll 4
      for (int q = 0; q < V; ++q) x[q] = load(at[q] + offset);
#pragma GCC unroll 8
      for (int i = 0; i < H; ++i) {
        weight[i] = broadcast(a[i]);
#pragma GCC unroll 4
        for (int q = 0; q < V; ++q) sum[i][q] = fma(weight[i], x[q], sum[i][q]);
      }
    }
  }
}

/// Lanes are samples: H rows from `row` on by V pixels.
template <int H, int V, int W>
void sum_samples(const Sums& sums, int64_t row, int64_t pixel) noexcept {
  const NetworkOp& op = sums.op;
  const float* at[V];
#pragma GCC unroll 4
  for (int q = 0; q < V; ++q) at[q] = sums.in + op.in.pixels[pixel * W + q];
  const float* a = op.weights + row * op.terms;
  Vec total[H][V];
  add_to_samples<H, V>(op, at, a, 0, op.depth, total);
#pragma GCC unroll 8
  for (int i = 0; i < H; ++i) {
#pragma GCC unroll 4
    for (int q = 0; q < V; ++q) total[i][q] = broadcast(op.bias[row + i]) + total[i][q];
  }
  for (int64_t first = op.depth; first < op.terms; first += op.depth) {
    const int64_t end = op.terms - first < op.depth ? op.terms : first + op.depth;
    add_block<H, V>(total, [&](Vec(&sum)[H][V]) { add_to_samples<H, V>(op, at, a, first, end, sum); });
  }
  finish_sums<H, V, W>(sums, row, pixel, total);
}

/// Adds terms [first, end), from zero; `a` moves on.
template <int V, int T, int P>
[[gnu::always_inline]] inline void add_to_channels(const NetworkOp& op, const float* const (&at)[P], const float*& a,
                                                   int64_t first, int64_t end, Vec (&out)[V + T][P]) noexcept {
  const int64_t next = op.terms * kLanes;
  Vec sum[V + 1][P] = {};
  Half tail[P] = {};
  for (int64_t p = first; p < end; ++p, a += kLanes) {
    const int64_t offset = op.offsets[p];
    Vec weight[V + 1];
    Half last{};
#pragma GCC unroll 4
    for (int i = 0; i < V; ++i) weight[i] = load(a + i * next);
    if constexpr (T > 0) last = load_half(a + V * next);
#pragma GCC unroll 8
    for (int q = 0; q < P; ++q) {
      const float x = at[q][offset];
#pragma GCC unroll 4
      for (int i = 0; i < V; ++i) sum[i][q] = fma(broadcast(x), weight[i], sum[i][q]);
      if constexpr (T > 0) tail[q] = (x - Half{}) * last + tail[q];
    }
  }
#pragma GCC unroll 8
  for (int q = 0; q < P; ++q) {
#pragma GCC unroll 4
    for (int i = 0; i < V; ++i) out[i][q] = sum[i][q];
    if constexpr (T > 0) out[V][q] = widen(tail[q]);
  }
}

/// Lanes are channels: V vectors of rows from `row` on, and T halves of one after them, by P pixels.
template <int V, int T, int P, int W>
void sum_channels(const Sums& sums, int64_t row, int64_t pixel) noexcept {
  constexpr int kRows = V + T;
  const NetworkOp& op = sums.op;
  const float* at[P];
#pragma GCC unroll 8
  for (int q = 0; q < P; ++q) at[q] = sums.in + op.in.pixels[pixel * W + q];
  const float* a = op.weights + row * op.terms * kLanes;
  Vec total[kRows][P];
  add_to_channels<V, T, P>(op, at, a, 0, op.depth, total);
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
    const Vec bias = load(op.bias + (row + i) * kLanes);
#pragma GCC unroll 8
    for (int q = 0; q < P; ++q) total[i][q] = bias + total[i][q];
  }
  for (int64_t first = op.depth; first < op.terms; first += op.depth) {
    const int64_t end = op.terms - first < op.depth ? op.terms : first + op.depth;
    add_block<kRows, P>(total, [&](Vec(&sum)[kRows][P]) { add_to_channels<V, T, P>(op, at, a, first, end, sum); });
  }
  finish_sums<kRows, P, W>(sums, row, pixel, total);
}

constexpr SumTile kSampleTiles[6][4] = {
#define SLIPWAY_TILES(h) {sum_samples<h, 1, 1>, sum_samples<h, 2, 1>, sum_samples<h, 3, 1>, sum_samples<h, 4, 1>}
    SLIPWAY_TILES(1), SLIPWAY_TILES(2), SLIPWAY_TILES(3),
#if SLIPWAY_LANES == 16
    SLIPWAY_TILES(4), SLIPWAY_TILES(5), SLIPWAY_TILES(6),
#endif
#undef SLIPWAY_TILES
};
constexpr SumTile kSampleWindows[6] = {
    sum_samples<1, 4, 4>, sum_samples<2, 4, 4>, sum_samples<3, 4, 4>,
#if SLIPWAY_LANES == 16
    sum_samples<4, 4, 4>, sum_samples<5, 4, 4>, sum_samples<6, 4, 4>,
#endif
};
/// Pixels of a tile of 1, 2, 3, 4 vectors, the last of which may be half: as many as the registers hold.
constexpr int64_t kChannelPixels[4] = {8, kLanes == 16 ? 8 : 6, 8, 6};
/// Null where the registers do not hold it.
template <int V, int T, int P, int W>
constexpr SumTile channel_tile() noexcept {
  constexpr int64_t kMost = W == 1 ? kChannelPixels[V + T - 1] : kLanes == 16 && V + T <= 2 ? 8 : 4;
  if constexpr (P <= kMost) return sum_channels<V, T, P, W>;
  return nullptr;
}
#define SLIPWAY_TILES(v, t)                                                                                           \
  {                                                                                                                   \
      channel_tile<v, t, 1, 1>(), channel_tile<v, t, 2, 1>(), channel_tile<v, t, 3, 1>(), channel_tile<v, t, 4, 1>(), \
      channel_tile<v, t, 5, 1>(), channel_tile<v, t, 6, 1>(), channel_tile<v, t, 7, 1>(), channel_tile<v, t, 8, 1>(), \
  }
constexpr SumTile kChannelTiles[2][4][8] = {
    {SLIPWAY_TILES(1, 0), SLIPWAY_TILES(2, 0),
#if SLIPWAY_LANES == 16
     SLIPWAY_TILES(3, 0), SLIPWAY_TILES(4, 0)},
    {SLIPWAY_TILES(0, 1), SLIPWAY_TILES(1, 1), SLIPWAY_TILES(2, 1), SLIPWAY_TILES(3, 1)
#endif
    }};
#undef SLIPWAY_TILES
#define SLIPWAY_TILES(v, t) {channel_tile<v, t, 4, 4>(), channel_tile<v, t, 8, 4>()}
constexpr SumTile kChannelWindows[2][4][2] = {
    {SLIPWAY_TILES(1, 0), SLIPWAY_TILES(2, 0),
#if SLIPWAY_LANES == 16
     SLIPWAY_TILES(3, 0), SLIPWAY_TILES(4, 0)},
    {SLIPWAY_TILES(0, 1), SLIPWAY_TILES(1, 1), SLIPWAY_TILES(2, 1), SLIPWAY_TILES(3, 1)
#endif
    }};
#undef SLIPWAY_TILES

/// Pixels [begin, end) of rows [first, last), whole tiles. A tile of inputs stays in cache while the weights pass.
void sum_samples_part(const Sums& sums, int64_t begin, int64_t end, int64_t first, int64_t last) noexcept {
  const bool is_window = sums.op.window == 4;
  const int64_t most = is_window ? 1 : 4;
  for (int64_t j = begin; j < end;) {
    const int64_t width = even_piece(end - begin, most, j - begin);
    for (int64_t row = first; row < last;) {
      const int64_t height = even_piece(sums.op.rows, kMostRows, row);
      (is_window ? kSampleWindows[height - 1] : kSampleTiles[height - 1][width - 1])(sums, row, j);
      row += height;
    }
    j += width;
  }
}

/// The same, but the weights of a tile stay in cache while the inputs pass.
void sum_channels_part(const Sums& sums, int64_t begin, int64_t end, int64_t first, int64_t last) noexcept {
  const bool is_window = sums.op.window == 4;
  for (int64_t row = first; row < last;) {
    const int64_t vectors = even_piece(sums.op.rows, kMostVectors, row);
    const bool is_half = sums.op.ends_in_half && row + vectors == sums.op.rows;
    const auto& tiles = kChannelTiles[is_half ? 1 : 0][vectors - 1];
    const auto& windows = kChannelWindows[is_half ? 1 : 0][vectors - 1];
    const int64_t most = !is_window ? kChannelPixels[vectors - 1] : vectors <= 2 && kLanes == 16 ? 2 : 1;
    for (int64_t j = begin; j < end;) {
      const int64_t width = even_piece(end - begin, most, j - begin);
      (is_window ? windows[width - 1] : tiles[width - 1])(sums, row, j);
      j += width;
    }
    row += vectors;
  }
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA
