// The matrix product: tiles of C are summed in registers, block by block of K.
//
// A tile of A (H rows, kGemmDepth terms) stays in the first cache while it meets every panel of a column block; the
// column block (kGemmDepth terms) stays in the second while every tile of A passes. A's rows are read where they lie,
// if their terms are neighbours and a tile has so few that each can have a register for its place; else they are laid
// out term by term.
#include "simd/gemm.h"
#include "simd/split_simd.h"

namespace slipway::SLIPWAY_ISA {

namespace {

constexpr int64_t kTileRows = tile_rows(kLanes);
constexpr int64_t kColumnBlock = 256;
constexpr bool kReadsRows = kTileRows <= 6;
/// Floats of a panel that are fetched ahead of their use, 16 terms: they come from the second cache, or from afar where
/// rows are few.
constexpr int64_t kAhead = 16 * 2 * kLanes;

/// What B is made of: panels, of which vector i is load(i).
struct Floats {
  static constexpr int64_t kMostRows = kTileRows;
  const float* panels;

  Floats(const Gemm& call, int64_t at, int64_t) noexcept : panels(call.b + at) {}
  [[gnu::always_inline]] Vec load(int64_t at, int64_t) const noexcept {
    __builtin_prefetch(panels + at + kAhead);
    return SLIPWAY_ISA::load(panels + at);
  }
};

struct Bfloat16s {
  static constexpr int64_t kMostRows = kMostSmallRows;
  const uint16_t* panels;

  Bfloat16s(const Gemm& call, int64_t at, int64_t) noexcept : panels(call.small.bfloat16 + at) {}
  [[gnu::always_inline]] Vec load(int64_t at, int64_t) const noexcept { return load_bfloat16(panels + at); }
};

struct Int8s {
  static constexpr int64_t kMostRows = kMostSmallRows;
  const int8_t* panels;
  const float* scales;

  Int8s(const Gemm& call, int64_t at, int64_t column) noexcept
      : panels(call.small.int8 + at), scales(call.small.scales + column) {}
  [[gnu::always_inline]] Vec load(int64_t at, int64_t column) const noexcept {
    return load_int8(panels + at) * SLIPWAY_ISA::load(scales + column);
  }
};

/// One tile of C: rows from `row`, columns from `column`, terms [first, first + depth).
struct Tile {
  int64_t row;
  int64_t column;
  int64_t first;
  int64_t depth;
  const float* a;  // [depth][H], or H rows `a_row` apart
  int64_t a_row = 0;
};

/// What C begins with at (row, column), one vector; `read` takes as much of one from memory as C has columns.
template <typename Read>
[[gnu::always_inline]] inline Vec start_of(const Gemm& call, const Tile& tile, int64_t row, int64_t column,
                                           const Read& read) noexcept {
  if (call.accumulate || tile.first > 0) return read(call.c + row * call.c_row + column);
  Vec start{};
  if (call.column_bias != nullptr) start = read(call.column_bias + column);
  if (call.row_bias != nullptr) start += broadcast(call.row_bias[row]);
  return start;
}

/// Adds sums [rows, width] to a tile that reaches over the last column of C.
[[gnu::noinline]] void add_edge(const Gemm& call, const Tile& tile, const float* sums, int64_t rows,
                                int64_t width) noexcept {
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t row = tile.row + i;
    for (int64_t column = tile.column; column < call.n; column += kLanes) {
      const int64_t n = call.n - column < kLanes ? call.n - column : kLanes;
      const Vec start = start_of(call, tile, row, column, [n](const float* p) { return load_first(p, n); });
      store_first(call.c + row * call.c_row + column, start + load(sums + i * width + (column - tile.column)), n);
    }
  }
}

/// H rows by P panels of V vectors. More than one panel hides the latency of the sums where H is small.
template <typename Weights, bool IsPacked, int H, int V, int P>
void multiply(const Gemm& call, const Tile& tile) noexcept {
  Vec sum[H][P * V] = {};
  const float* a = tile.a;
  const int64_t a_row = IsPacked ? 1 : tile.a_row;
  const Weights b(call, tile.column * call.k + tile.first * V * kLanes, tile.column);
  const int64_t next_panel = 2 * kLanes * call.k;
  for (int64_t p = 0, at = 0; p < tile.depth; ++p, a += IsPacked ? H : 1, at += V * kLanes) {
    Vec y[P * V];
#pragma GCC unroll 8
    for (int q = 0; q < P * V; ++q) y[q] = b.load(at + q / V * next_panel + q % V * kLanes, q * kLanes);
#pragma GCC unroll 12
    for (int i = 0; i < H; ++i) {
      const Vec x = broadcast(a[i * a_row]);
#pragma GCC unroll 8
      for (int q = 0; q < P * V; ++q) sum[i][q] = fma(x, y[q], sum[i][q]);
    }
  }
  constexpr int64_t kWidth = kLanes * P * V;
  if (tile.column + kWidth > call.n) {
    alignas(64) float sums[H * kWidth];
    for (int i = 0; i < H; ++i) {
      for (int q = 0; q < P * V; ++q) store(sums + i * kWidth + q * kLanes, sum[i][q]);
    }
    return add_edge(call, tile, sums, H, kWidth);
  }
#pragma GCC unroll 12
  for (int i = 0; i < H; ++i) {
#pragma GCC unroll 8
    for (int q = 0; q < P * V; ++q) {
      const int64_t column = tile.column + q * kLanes;
      const Vec start = start_of(call, tile, tile.row + i, column, load);
      store(call.c + (tile.row + i) * call.c_row + column, start + sum[i][q]);
    }
  }
}

/// One tile of rows against the panels of columns [begin, end).
template <typename Weights, int H, bool IsPacked = true>
void multiply_row(const Gemm& call, Tile tile, int64_t begin, int64_t end) noexcept {
  constexpr int kPanels = H == 1 ? 4 : H == 2 ? 2 : 1;
  constexpr int64_t kPanel = 2 * kLanes;
  tile.column = begin;
  for (; kPanels > 1 && tile.column + kPanels * kPanel <= end; tile.column += kPanels * kPanel) {
    multiply<Weights, IsPacked, H, 2, kPanels>(call, tile);
  }
  for (; tile.column + kLanes < end; tile.column += kPanel) multiply<Weights, IsPacked, H, 2, 1>(call, tile);
  if (tile.column < end) multiply<Weights, IsPacked, H, 1, 1>(call, tile);
}

template <typename Weights>
void multiply_row(int64_t height, const Gemm& call, const Tile& tile, int64_t begin, int64_t end) noexcept {
  switch (height) {
    case 1:
      return multiply_row<Weights, 1>(call, tile, begin, end);
    case 2:
      return multiply_row<Weights, 2>(call, tile, begin, end);
    case 4:
      return multiply_row<Weights, 4>(call, tile, begin, end);
    case 8:
      if constexpr (Weights::kMostRows > 8) return multiply_row<Weights, 8>(call, tile, begin, end);
      return;
    default:
      if constexpr (Weights::kMostRows == kTileRows) return multiply_row<Weights, kTileRows>(call, tile, begin, end);
  }
}

/// As pack_tiles(), for a whole tile of rows whose terms lie one after the other. Writes up to a vector more.
void pack_whole_tile(const float* a, int64_t row, int64_t depth, float* out) noexcept {
  int64_t p = 0;
  if constexpr (kTileRows <= kLanes) {
    for (; p + kLanes <= depth; p += kLanes) {
      Vec lines[kLanes] = {};
      for (int64_t i = 0; i < kTileRows; ++i) lines[i] = load(a + i * row + p);
      transpose(lines);
      for (int64_t i = 0; i < kLanes; ++i) store(out + (p + i) * kTileRows, lines[i]);
    }
  }
  pack_tiles(a + p, row, 1, kTileRows, depth - p, kLanes, out + p * kTileRows);
}

/// Terms [first, first + depth) of all rows and of columns [begin, end).
template <typename Weights>
void multiply_block(const Gemm& call, int64_t first, int64_t depth, int64_t begin, int64_t end) noexcept {
  alignas(64) float packed[kTileRows * kGemmDepth + kLanes];
  for (int64_t row = 0; row < call.m;) {
    const int64_t height = tile_height(call.m - row, kLanes);
    const float* a = call.a + row * call.k + first * height;
    if (call.a_row != 0) {
      const float* from = call.a + row * call.a_row + first * call.a_column;
      if constexpr (kReadsRows && Weights::kMostRows == kTileRows) {
        if (height == kTileRows && call.a_column == 1) {
          multiply_row<Weights, kTileRows, false>(call, {row, begin, first, depth, from, call.a_row}, begin, end);
          row += height;
          continue;
        }
      }
      if (height == kTileRows && call.a_column == 1) {
        pack_whole_tile(from, call.a_row, depth, packed);
      } else {
        pack_tiles(from, call.a_row, call.a_column, height, depth, kLanes, packed);
      }
      a = packed;
    }
    multiply_row<Weights>(height, call, {row, begin, first, depth, a}, begin, end);
    row += height;
  }
}

void fill_bias(const Gemm& call) noexcept {
  for (int64_t i = 0; i < call.m; ++i) {
    const float row_bias = call.row_bias != nullptr ? call.row_bias[i] : 0.0f;
    for (int64_t j = 0; j < call.n; ++j) {
      call.c[i * call.c_row + j] = row_bias + (call.column_bias != nullptr ? call.column_bias[j] : 0.0f);
    }
  }
}

/// Columns [begin, end) as a product of their own; `begin` is a multiple of the panel.
Gemm columns_of(const Gemm& call, int64_t begin, int64_t end) noexcept {
  Gemm part = call;
  part.n = end - begin;
  if (part.b != nullptr) part.b += begin * call.k;
  if (part.small.bfloat16 != nullptr) part.small.bfloat16 += begin * call.k;
  if (part.small.int8 != nullptr) {
    part.small.int8 += begin * call.k;
    part.small.scales += begin;
  }
  part.c += begin;
  if (part.column_bias != nullptr) part.column_bias += begin;
  return part;
}

/// Rows [begin, end) as a product of their own; `begin` is a multiple of the tile.
Gemm rows_of(const Gemm& call, int64_t begin, int64_t end) noexcept {
  Gemm part = call;
  part.m = end - begin;
  part.a += call.a_row != 0 ? begin * call.a_row : begin * call.k;
  part.c += begin * call.c_row;
  if (part.row_bias != nullptr) part.row_bias += begin;
  return part;
}

template <typename Weights>
void multiply_all(const Gemm& call) noexcept {
  for (int64_t first = 0; first < call.k; first += kGemmDepth) {
    const int64_t depth = call.k - first < kGemmDepth ? call.k - first : kGemmDepth;
    for (int64_t begin = 0; begin < call.n; begin += kColumnBlock) {
      const int64_t end = call.n - begin < kColumnBlock ? call.n : begin + kColumnBlock;
      multiply_block<Weights>(call, first, depth, begin, end);
    }
  }
}

}  // namespace

void gemm(const Gemm& call) noexcept {
  if (call.k == 0) {
    if (!call.accumulate) fill_bias(call);
    return;
  }
  if (call.small.bfloat16 != nullptr) return multiply_all<Bfloat16s>(call);
  if (call.small.int8 != nullptr) return multiply_all<Int8s>(call);
  multiply_all<Floats>(call);
}

void gemm(ThreadPool* pool, const Gemm& call) noexcept {
  if (call.m == 0 || call.n == 0) return;
#ifdef SLIPWAY_SPLITS
  if (call.split != nullptr) return gemm_split(pool, call);
#endif
  const bool by_rows = call.m >= call.n;
  const int64_t unit = by_rows ? kTileRows : 2 * kLanes;
  const int64_t size = by_rows ? call.m : call.n;
  const int64_t work = unit * (by_rows ? call.n : call.m) * (call.k + 1);
  const auto body = [&](int64_t begin, int64_t end) {
    const int64_t last = end * unit < size ? end * unit : size;
    gemm(by_rows ? rows_of(call, begin * unit, last) : columns_of(call, begin * unit, last));
  };
  parallel_for(pool, (size + unit - 1) / unit, grain_of(work, kMultiplyAddsPerNanosecond), body);
}

}  // namespace slipway::SLIPWAY_ISA
