// Winograd's convolution of a network: patches become points, points meet weights in the tiles of sums, sums become
// pixels. Both transforms only add, vector by vector of a pixel's rows: they do not ask what the lanes are.
#pragma once

#include "ops/network_points_simd.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// A kWinograd with its addresses.
struct Tiles {
  const NetworkOp& op;
  const float* in;
  const float* other;
  float* out;
  bool has_sample_lanes;
};

/// B^T d of N taps, in place; of two taps, from three pixels: points 0, 1 and 3.
template <int N>
[[gnu::always_inline]] inline void to_points(Vec& a, Vec& b, Vec& c, Vec& d) noexcept {
  if constexpr (N == 4) {
    const Vec sum = b + c;
    const Vec difference = c - b;
    d = b - d;
    a = a - c;
    b = sum;
    c = difference;
  } else {
    a = a - b;
    c = b - c;
  }
}

/// Where point i of N is among the four.
template <int N>
constexpr int kPlace[4] = {0, 1, N == 4 ? 2 : 3, 3};

/// B^T d B of one kernel: R x C pixels of `rows` rows. Sizes are arguments since a store might change a member.
template <int R, int C>
void transform_patch(const float* in, int64_t below, int64_t beside, int64_t rows, int64_t row, float* out,
                     int64_t point) noexcept {
  for (int64_t i = 0; i < rows; ++i, in += row, out += kLanes) {
    Vec d[4][4] = {};
    const float* from = in;
#pragma GCC unroll 4
    for (int y = 0; y < R; ++y, from += below) {
#pragma GCC unroll 4
      for (int x = 0; x < C; ++x) d[y][x] = load(from + x * beside);
    }
#pragma GCC unroll 4
    for (int x = 0; x < C; ++x) to_points<R>(d[0][x], d[1][x], d[2][x], d[3][x]);
#pragma GCC unroll 4
    for (int y = 0; y < R; ++y) {
      float* to = out + 4 * kPlace<R>[y] * point;
      to_points<C>(d[y][0], d[y][1], d[y][2], d[y][3]);
#pragma GCC unroll 4
      for (int x = 0; x < C; ++x) store(to + kPlace<C>[x] * point, d[y][x]);
    }
  }
}

/// Tiles [first, end), the first one's points from `out` on.
void transform_patches(const Tiles& tiles, int64_t first, int64_t end, float* out) noexcept {
  const NetworkWinograd& winograd = *tiles.op.winograd;
  const int64_t y = winograd.row_step;
  const int64_t x = winograd.column_step;
  const int64_t rows = winograd.in_rows;
  const int64_t row = tiles.op.in.row;
  const int64_t point = winograd.in_point;
  const int64_t kernel = rows * kLanes;
  for (int64_t t = first; t < end; ++t) {
    const float* in = tiles.in + tiles.op.in.pixels[t];
    transform_patch<4, 4>(in, y, x, rows, row, out, point);
    out += kernel;
    if (winograd.column_kernels == 2) {
      transform_patch<4, 3>(in + 3 * x, y, x, rows, row, out, point);
      out += kernel;
    }
    if (winograd.row_kernels == 2) {
      transform_patch<3, 4>(in + 3 * y, y, x, rows, row, out, point);
      out += kernel;
    }
    if (winograd.row_kernels == 2 && winograd.column_kernels == 2) {
      transform_patch<3, 3>(in + 3 * y + 3 * x, y, x, rows, row, out, point);
      out += kernel;
    }
  }
}

/// A^T M A of one row.
[[gnu::always_inline]] inline void to_pixels(const float* sums, int64_t point, Vec (&y)[4]) noexcept {
  Vec z[2][4];
#pragma GCC unroll 4
  for (int x = 0; x < 4; ++x, sums += point) {
    const Vec a = load(sums);
    const Vec b = load(sums + 4 * point);
    const Vec c = load(sums + 8 * point);
    const Vec d = load(sums + 12 * point);
    z[0][x] = a + b + c;
    z[1][x] = b - c - d;
  }
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    y[2 * i] = z[i][0] + z[i][1] + z[i][2];
    y[2 * i + 1] = z[i][1] - z[i][2] - z[i][3];
  }
}

/// Tiles [first, end), the sums of the first one from `sums` on.
template <int W>
[[gnu::always_inline]] inline void write_tiles(const Tiles& tiles, const ActivationCall& activation, int64_t first,
                                               int64_t end, const float* sums) noexcept {
  const NetworkOp& op = tiles.op;
  constexpr int kPixels = 4 / W;
  const int64_t rows = op.rows;
  const int64_t row = op.out.row;
  const int64_t point = op.winograd->out_point;
  for (int64_t t = first; t < end; ++t) {
    const int32_t* to = op.out.pixels + t * kPixels;
    const int32_t* plus = tiles.other != nullptr ? op.other.pixels + t * kPixels : nullptr;
    for (int64_t i = 0; i < rows; ++i, sums += kLanes) {
      Vec y[4];
      to_pixels(sums, point, y);
      if constexpr (W == 4) y[0] = largest(largest(y[0], y[1]), largest(y[2], y[3]));
      const Vec bias = load(op.bias + i * kLanes);
#pragma GCC unroll 4
      for (int k = 0; k < kPixels; ++k) {
        if (to[k] < 0) continue;
        y[k] = bias + y[k];
        if (plus != nullptr) y[k] += load(tiles.other + plus[k] + i * op.other.row);
        store(tiles.out + to[k] + i * row, activate(activation, y[k]));
      }
    }
  }
}

/// As finish_sums() chooses.
template <int W>
void finish_tiles(const Tiles& tiles, int64_t first, int64_t end, const float* sums) noexcept {
  const NetworkOp& op = tiles.op;
  const ActivationCall bounds = bounds_of(op.activation);
  if (bounds.kind == Activation::kClip) {
    return write_tiles<W>(tiles, {Activation::kClip, bounds.alpha, bounds.beta}, first, end, sums);
  }
  write_tiles<W>(tiles, {}, first, end, sums);
  if (op.activation.kind == Activation::kNone) return;
  const Sums written{op, nullptr, nullptr, tiles.out};
  for (int64_t j = first * 4 / W; j < end * 4 / W; ++j) {
    if (op.out.pixels[j] >= 0) activate_written(written, 0, j, op.rows, 1);
  }
}

constexpr int64_t kTileWorkPerNanosecond = 3;

/// What a tile costs, as NetworkProgram::work counts.
int64_t tile_work(const NetworkOp& op) noexcept {
  const int64_t points = (1 + 3 * op.winograd->row_kernels) * (1 + 3 * op.winograd->column_kernels);
  return op.rows * (points * op.terms + 3 * kWinogradPoints) + op.winograd->in_rows * 2 * points;
}

/// Tiles [first, end), at most a group; `pool` may be null.
void run_group(const Tiles& tiles, int64_t first, int64_t end, float* scratch, ThreadPool* pool) noexcept {
  const NetworkWinograd& winograd = *tiles.op.winograd;
  const int64_t count = end - first;
  const int64_t in_tile = winograd.row_kernels * winograd.column_kernels * winograd.in_rows * kLanes;
  const int64_t out_tile = tiles.op.rows * kLanes;
  float* sums = scratch + kWinogradPoints * winograd.in_point;
  const int64_t read = 2 * kWinogradPoints * in_tile / kLanes;
  parallel_for(pool, count, grain_of(read, kTileWorkPerNanosecond), [&](int64_t begin, int64_t last) {
    transform_patches(tiles, first + begin, first + last, scratch + begin * in_tile);
  });
  const Points points{winograd.products, scratch, winograd.in_point, in_tile, sums, winograd.out_point, out_tile};
  const auto multiply = tiles.has_sample_lanes ? multiply_samples_part : multiply_channels_part;
  const int64_t work = count * tile_work(tiles.op) / kWinogradPoints;
  parallel_for(pool, kWinogradPoints, grain_of(work, kTileWorkPerNanosecond), [&](int64_t begin, int64_t last) {
    multiply(points, count, static_cast<int>(begin), static_cast<int>(last));
  });
  const auto finish = tiles.op.window == 4 ? finish_tiles<4> : finish_tiles<1>;
  const int64_t written = 3 * kWinogradPoints * tiles.op.rows;
  parallel_for(pool, count, grain_of(written, kTileWorkPerNanosecond), [&](int64_t begin, int64_t last) {
    finish(tiles, first + begin, first + last, sums + begin * out_tile);
  });
}

/// Threads take tiles, each part of them with scratch of its own; of few tiles, what one group is made of.
void run_winograd(const Tiles& tiles, int64_t count, float* scratch, ThreadPool* pool) noexcept {
  constexpr int64_t kUnit = 4;
  const NetworkWinograd& winograd = *tiles.op.winograd;
  const auto run_part = [&](int64_t begin, int64_t end, float* part, ThreadPool* helpers) {
    for (int64_t t = begin; t < end; t += winograd.group) {
      run_group(tiles, t, t + winograd.group < end ? t + winograd.group : end, part, helpers);
    }
  };
  if (pool == nullptr || winograd.parts == 1) return run_part(0, count, scratch, pool);
  const int64_t units = (count + kUnit - 1) / kUnit;
  const int64_t grain = grain_of(count * tile_work(tiles.op) / winograd.parts, kTileWorkPerNanosecond);
  parallel_for(pool, winograd.parts, grain, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * units / winograd.parts * kUnit;
    const int64_t last = end * units / winograd.parts * kUnit;
    run_part(first, last < count ? last : count, scratch + begin * winograd.part, nullptr);
  });
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA
