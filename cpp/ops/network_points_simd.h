// The products of a network's Winograd convolution: tiles of sums by rows, held in registers, point by point. The terms
// are added as those of direct sums; there is nothing else to do.
#pragma once

#include "ops/network_sums_simd.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// Terms that are summed from zero. Half of kGemmDepth: points are larger than the pixels that they add up to, and so
/// are their roundings.
constexpr int64_t kPointDepth = 128;

/// Transformed inputs and sums of a group of tiles, those of a tile one after the other.
struct Points {
  const NetworkOp* products;
  const float* in;
  int64_t in_point;
  int64_t in_tile;
  float* out;
  int64_t out_point;
  int64_t out_tile;
};

using PointTile = void (*)(const Points&, int point, int64_t row, int64_t tile) noexcept;

template <int H, int V>
[[gnu::always_inline]] inline void store_points(const Points& points, int point, int64_t row, int64_t tile,
                                                const Vec (&total)[H][V]) noexcept {
  float* out = points.out + point * points.out_point + tile * points.out_tile + row * kLanes;
#pragma GCC unroll 8
  for (int q = 0; q < V; ++q, out += points.out_tile) {
#pragma GCC unroll 8
    for (int i = 0; i < H; ++i) store(out + i * kLanes, total[i][q]);
  }
}

/// `add(first, end, sums)` for all terms, kPointDepth of them from zero.
template <int H, int V, typename Add>
[[gnu::always_inline]] inline void add_blocks(int64_t terms, Vec (&total)[H][V], const Add& add) noexcept {
  add(int64_t{0}, terms < kPointDepth ? terms : kPointDepth, total);
  for (int64_t first = kPointDepth; first < terms; first += kPointDepth) {
    const int64_t end = terms - first < kPointDepth ? terms : first + kPointDepth;
    add_block<H, V>(total, [&](Vec(&sum)[H][V]) { add(first, end, sum); });
  }
}

template <int P>
[[gnu::always_inline]] inline void find_tiles(const Points& points, int point, int64_t tile,
                                              const float* (&at)[P]) noexcept {
  const float* in = points.in + point * points.in_point + tile * points.in_tile;
#pragma GCC unroll 8
  for (int q = 0; q < P; ++q, in += points.in_tile) at[q] = in;
}

/// Lanes are samples: H rows from `row` on by V tiles.
template <int H, int V>
void multiply_samples(const Points& points, int point, int64_t row, int64_t tile) noexcept {
  const NetworkOp& op = points.products[point];
  const float* at[V];
  find_tiles<V>(points, point, tile, at);
  const float* a = op.weights + row * op.terms;
  Vec total[H][V];
  add_blocks<H, V>(op.terms, total, [&](int64_t first, int64_t end, Vec(&sum)[H][V]) {
    add_to_samples<H, V>(op, at, a, first, end, sum);
  });
  store_points<H, V>(points, point, row, tile, total);
}

/// Lanes are channels: V vectors of rows from `row` on, and T halves of one after them, by P tiles.
template <int V, int T, int P>
void multiply_channels(const Points& points, int point, int64_t row, int64_t tile) noexcept {
  const NetworkOp& op = points.products[point];
  const float* at[P];
  find_tiles<P>(points, point, tile, at);
  const float* a = op.weights + row * op.terms * kLanes;
  Vec total[V + T][P];
  add_blocks<V + T, P>(op.terms, total, [&](int64_t first, int64_t end, Vec(&sum)[V + T][P]) {
    add_to_channels<V, T, P>(op, at, a, first, end, sum);
  });
  store_points<V + T, P>(points, point, row, tile, total);
}

constexpr PointTile kSamplePoints[6][4] = {
#define SLIPWAY_TILES(h) \
  {multiply_samples<h, 1>, multiply_samples<h, 2>, multiply_samples<h, 3>, multiply_samples<h, 4>}
    SLIPWAY_TILES(1), SLIPWAY_TILES(2), SLIPWAY_TILES(3),
#if SLIPWAY_LANES == 16
    SLIPWAY_TILES(4), SLIPWAY_TILES(5), SLIPWAY_TILES(6),
#endif
#undef SLIPWAY_TILES
};
/// As channel_tile().
template <int V, int T, int P>
constexpr PointTile channel_points() noexcept {
  if constexpr (P <= kChannelPixels[V + T - 1]) return multiply_channels<V, T, P>;
  return nullptr;
}
#define SLIPWAY_TILES(v, t)                                                                                       \
  {                                                                                                               \
      channel_points<v, t, 1>(), channel_points<v, t, 2>(), channel_points<v, t, 3>(), channel_points<v, t, 4>(), \
      channel_points<v, t, 5>(), channel_points<v, t, 6>(), channel_points<v, t, 7>(), channel_points<v, t, 8>(), \
  }
constexpr PointTile kChannelPoints[2][4][8] = {
    {SLIPWAY_TILES(1, 0), SLIPWAY_TILES(2, 0),
#if SLIPWAY_LANES == 16
     SLIPWAY_TILES(3, 0), SLIPWAY_TILES(4, 0)},
    {SLIPWAY_TILES(0, 1), SLIPWAY_TILES(1, 1), SLIPWAY_TILES(2, 1), SLIPWAY_TILES(3, 1)
#endif
    }};
#undef SLIPWAY_TILES

/// The pieces of even_piece(), counted once.
class Pieces {
 public:
  Pieces(int64_t count, int64_t most) noexcept {
    const int64_t pieces = (count + most - 1) / most;
    small_ = count / pieces;
    large_end_ = count % pieces * (small_ + 1);
  }
  [[nodiscard]] int64_t at(int64_t begin) const noexcept { return begin < large_end_ ? small_ + 1 : small_; }

 private:
  int64_t small_;
  int64_t large_end_;
};

/// Points [first, last) of `tiles` tiles. A tile's inputs stay in cache while the weights pass.
void multiply_samples_part(const Points& points, int64_t tiles, int first, int last) noexcept {
  const int64_t rows = points.products[0].rows;
  const Pieces heights(rows, kMostRows);
  const Pieces widths(tiles, 4);
  for (int p = first; p < last; ++p) {
    for (int64_t j = 0; j < tiles; j += widths.at(j)) {
      for (int64_t row = 0; row < rows; row += heights.at(row)) {
        kSamplePoints[heights.at(row) - 1][widths.at(j) - 1](points, p, row, j);
      }
    }
  }
}

/// The same, but the weights of a point stay in cache while the inputs pass.
void multiply_channels_part(const Points& points, int64_t tiles, int first, int last) noexcept {
  const int64_t rows = points.products[0].rows;
  const Pieces heights(rows, kMostVectors);
  for (int64_t row = 0; row < rows; row += heights.at(row)) {
    const int64_t vectors = heights.at(row);
    const bool is_half = points.products[0].ends_in_half && row + vectors == rows;
    const auto& kernels = kChannelPoints[is_half ? 1 : 0][vectors - 1];
    const Pieces widths(tiles, kChannelPixels[vectors - 1]);
    for (int p = first; p < last; ++p) {
      for (int64_t j = 0; j < tiles; j += widths.at(j)) kernels[widths.at(j) - 1](points, p, row, j);
    }
  }
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA
