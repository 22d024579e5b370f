// How packed matrices lie in memory. For prepare (any instruction set) and for kernels, so nothing here is exported.
//
// Panels hold B [K, N] in groups of two vectors of columns: panel j holds columns [2Lj, 2Lj + 2L) as [K][2L], and
// starts at float 2Lj * K. If at most L columns are left for the last one it is [K][L]. Missing columns are zero.
// Tiles hold A [M, K] in groups of rows: a tile of h rows from row i on is [K][h] and starts at float i * K. A tile is
// as high as tile_rows allows; what is left at the end is cut into powers of two, largest first.
// Networks (ops/network.h) have two forms of their own. Even tiles hold A in tiles of at most even_rows rows, none more
// than one row larger than another. Row vectors hold A [M, K] as [M / L][K][L].
#pragma once

#include <cstdint>

#include "base/cpu.h"

namespace slipway {

/// float32 lanes of one vector; 1 for the scalar column, which packs nothing.
[[nodiscard]] static constexpr int64_t lanes_of(Isa isa) noexcept {
  switch (isa) {
    case Isa::kAvx512:
    case Isa::kAmx:
      return 16;
    case Isa::kAvx2:
      return 8;
    case Isa::kBaseline:
    case Isa::kNeon:
      return 4;
    case Isa::kScalar:
    case Isa::kCuda:
      break;
  }
  return 1;
}

/// Rows of the largest tile: as many accumulators as the registers hold.
[[nodiscard]] static constexpr int64_t tile_rows(int64_t lanes) noexcept { return lanes == 16 ? 12 : 6; }

/// Terms of a product that are summed in registers before they are added to C.
inline constexpr int64_t kGemmDepth = 256;

/// Height of the tile that begins where `left` rows remain.
[[nodiscard]] static constexpr int64_t tile_height(int64_t left, int64_t lanes) noexcept {
  if (left >= tile_rows(lanes)) return tile_rows(lanes);
  int64_t height = 8;
  while (height > left) height /= 2;
  return height;
}

/// Columns that panels of N columns take, padding included.
[[nodiscard]] static constexpr int64_t panel_columns(int64_t n, int64_t lanes) noexcept {
  return (n + lanes - 1) / lanes * lanes;
}

/// Floats that pack_panels writes.
[[nodiscard]] static constexpr int64_t panels_size(int64_t k, int64_t n, int64_t lanes) noexcept {
  return k * panel_columns(n, lanes);
}

/// B[p, j] = b[p * row + j * column] becomes panels.
[[maybe_unused]] static void pack_panels(const float* b, int64_t row, int64_t column, int64_t k, int64_t n,
                                         int64_t lanes, float* out) noexcept {
  if (k == 0) return;  // there may be any number of empty panels
  for (int64_t begin = 0; begin < n; begin += 2 * lanes) {
    const int64_t width = n - begin > lanes ? 2 * lanes : lanes;
    const int64_t used = n - begin < width ? n - begin : width;
    for (int64_t p = 0; p < k; ++p, out += width) {
      for (int64_t j = 0; j < used; ++j) out[j] = b[p * row + (begin + j) * column];
      for (int64_t j = used; j < width; ++j) out[j] = 0.0f;
    }
  }
}

/// A[i, p] = a[i * row + p * column] becomes tiles, M * K floats.
[[maybe_unused]] static void pack_tiles(const float* a, int64_t row, int64_t column, int64_t m, int64_t k,
                                        int64_t lanes, float* out) noexcept {
  if (k == 0) return;
  for (int64_t begin = 0; begin < m;) {
    const int64_t height = tile_height(m - begin, lanes);
    for (int64_t p = 0; p < k; ++p) {
      for (int64_t i = 0; i < height; ++i) *out++ = a[(begin + i) * row + p * column];
    }
    begin += height;
  }
}

/// Rows of the largest even tile: it meets four vectors.
[[nodiscard]] static constexpr int64_t even_rows(int64_t lanes) noexcept { return lanes == 16 ? 6 : 3; }

/// `count` is cut into as few pieces of at most `most` as can be, none more than one larger than another, the larger
/// ones first; the size of the piece that begins at `at`.
[[nodiscard]] static constexpr int64_t even_piece(int64_t count, int64_t most, int64_t at) noexcept {
  const int64_t pieces = (count + most - 1) / most;
  const int64_t small = count / pieces;
  return at < count % pieces * (small + 1) ? small + 1 : small;
}

/// A[i, p] = a[i * row + p * column] becomes even tiles, M * K floats.
[[maybe_unused]] static void pack_even_tiles(const float* a, int64_t row, int64_t column, int64_t m, int64_t k,
                                             int64_t lanes, float* out) noexcept {
  for (int64_t begin = 0; begin < m;) {
    const int64_t height = even_piece(m, even_rows(lanes), begin);
    for (int64_t p = 0; p < k; ++p) {
      for (int64_t i = 0; i < height; ++i) *out++ = a[(begin + i) * row + p * column];
    }
    begin += height;
  }
}

/// A[i, p] = a[i * row + p * column] becomes row vectors, panels_size(K, M) floats; missing rows are zero.
[[maybe_unused]] static void pack_row_vectors(const float* a, int64_t row, int64_t column, int64_t m, int64_t k,
                                              int64_t lanes, float* out) noexcept {
  for (int64_t begin = 0; begin < m; begin += lanes) {
    for (int64_t p = 0; p < k; ++p) {
      for (int64_t i = 0; i < lanes; ++i) *out++ = begin + i < m ? a[(begin + i) * row + p * column] : 0.0f;
    }
  }
}

}  // namespace slipway
