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
/// Terms of one turn of a loop: what a turn costs beside its multiply-adds counts where two threads share a core.
constexpr int64_t kTerms = 4;
constexpr int64_t kLineFloats = 16;
/// Rows that all meet a panel before the next one.
constexpr int64_t kFewRows = 32;
/// Floats of a panel that are fetched ahead of their use, 16 terms: they come from the second cache, or from afar where
/// rows are few.
constexpr int64_t kAhead = 16 * 2 * kLanes;

/// What B is made of: panels, of which vector i is load(i).
struct Floats {
  static constexpr int64_t kMostRows = kTileRows;
  const float* panels;

  Floats(const Gemm& call, int64_t at, int64_t) noexcept : panels(call.b + at) {}
  [[gnu::always_inline]] Vec load(int64_t at, int64_t) const noexcept { return SLIPWAY_ISA::load(panels + at); }
  [[gnu::always_inline]] void fetch(int64_t at) const noexcept { __builtin_prefetch(panels + at + kAhead); }
};

struct Bfloat16s {
  static constexpr int64_t kMostRows = kMostSmallRows;
  const uint16_t* panels;

  Bfloat16s(const Gemm& call, int64_t at, int64_t) noexcept : panels(call.small.bfloat16 + at) {}
  [[gnu::always_inline]] Vec load(int64_t at, int64_t) const noexcept { return load_bfloat16(panels + at); }
  [[gnu::always_inline]] void fetch(int64_t) const noexcept {}
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
  [[gnu::always_inline]] void fetch(int64_t) const noexcept {}
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

bool is_added(const Gemm& call, const Tile& tile) noexcept { return call.accumulate || tile.first > 0; }

/// What C begins with at (row, column), one vector; `read` takes as much of one from memory as C has columns.
template <typename Read>
[[gnu::always_inline]] inline Vec start_of(const Gemm& call, const Tile& tile, int64_t row, int64_t column,
                                           const Read& read) noexcept {
  if (is_added(call, tile)) return read(call.c + row * call.c_row + column);
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
  const auto add_term = [&](int64_t p) __attribute__((always_inline)) {
    const int64_t at = p * V * kLanes;
    Vec y[P * V];
#pragma GCC unroll 8
    for (int q = 0; q < P * V; ++q) {
      const int64_t place = at + q / V * next_panel + q % V * kLanes;
      if (q % V * kLanes % kLineFloats == 0) b.fetch(place);
      y[q] = b.load(place, q * kLanes);
    }
#pragma GCC unroll 12
    for (int i = 0; i < H; ++i) {
      const Vec x = broadcast(IsPacked ? a[p * H + i] : a[p + i * a_row]);
#pragma GCC unroll 8
      for (int q = 0; q < P * V; ++q) sum[i][q] = fma(x, y[q], sum[i][q]);
    }
  };
  int64_t p = 0;
  for (; p + kTerms <= tile.depth; p += kTerms) {
#pragma GCC unroll 4
    for (int64_t i = 0; i < kTerms; ++i) add_term(p + i);
  }
  for (; p < tile.depth; ++p) add_term(p);
  constexpr int64_t kWidth = kLanes * P * V;
  if (tile.column + kWidth > call.n) {
    alignas(64) float sums[H * kWidth];
#pragma GCC unroll 12
    for (int i = 0; i < H; ++i) {
#pragma GCC unroll 8
      for (int q = 0; q < P * V; ++q) store(sums + i * kWidth + q * kLanes, sum[i][q]);
    }
    return add_edge(call, tile, sums, H, kWidth);
  }
  float* c = call.c + tile.row * call.c_row + tile.column;
  if (is_added(call, tile)) {
#pragma GCC unroll 12
    for (int i = 0; i < H; ++i, c += call.c_row) {
#pragma GCC unroll 8
      for (int q = 0; q < P * V; ++q) store(c + q * kLanes, load(c + q * kLanes) + sum[i][q]);
    }
    return;
  }
  // What is added to nothing: minus zero changes no number.
  Vec columns[P * V] = {};
  if (call.column_bias != nullptr) {
#pragma GCC unroll 8
    for (int q = 0; q < P * V; ++q) columns[q] = load(call.column_bias + tile.column + q * kLanes);
  }
#pragma GCC unroll 12
  for (int i = 0; i < H; ++i, c += call.c_row) {
    const Vec row = broadcast(call.row_bias != nullptr ? call.row_bias[tile.row + i] : -0.0f);
#pragma GCC unroll 8
    for (int q = 0; q < P * V; ++q) store(c + q * kLanes, (columns[q] + row) + sum[i][q]);
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

/// As multiply_row() of rows as they lie, panel by panel: a panel that comes from afar is read once. Returns how many
/// rows it took; tiles that are lower than four rows are left.
template <typename Weights>
int64_t multiply_few_rows(const Gemm& call, int64_t first, int64_t depth, int64_t begin, int64_t end) noexcept {
  int64_t row = 0;
  for (int64_t column = begin; column < end; column += 2 * kLanes) {
    const bool is_whole = column + kLanes < end;
    for (row = 0; call.m - row >= 4;) {
      const Tile tile{row, column, first, depth, call.a + row * call.a_row + first, call.a_row};
      if (call.m - row >= kTileRows) {
        is_whole ? multiply<Weights, false, kTileRows, 2, 1>(call, tile)
                 : multiply<Weights, false, kTileRows, 1, 1>(call, tile);
        row += kTileRows;
      } else {
        is_whole ? multiply<Weights, false, 4, 2, 1>(call, tile) : multiply<Weights, false, 4, 1, 1>(call, tile);
        row += 4;
      }
    }
  }
  return row;
}

/// Terms [first, first + depth) of all rows and of columns [begin, end).
template <typename Weights>
void multiply_block(const Gemm& call, int64_t first, int64_t depth, int64_t begin, int64_t end) noexcept {
  alignas(64) float packed[kTileRows * kGemmDepth + kLanes];
  int64_t row = 0;
  if constexpr (kReadsRows && Weights::kMostRows == kTileRows) {
    const bool is_few = call.m > kTileRows && call.m <= kFewRows;
    if (is_few && call.a_row != 0 && call.a_column == 1) {
      row = multiply_few_rows<Weights>(call, first, depth, begin, end);
    }
  }
  while (row < call.m) {
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
