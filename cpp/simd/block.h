// A few rows times a block of columns, all sums in registers: what a recurrent layer does over and over.
//
// An element is summed in one order, whatever rows are computed with it: over parts of kGemmDepth terms, a part from
// its first term to its last (in blocks of one vector even and odd terms apart), then bias and parts from left to
// right.
#pragma once

#include <cstdint>

#include "simd/panels.h"
#include "simd/vec.h"

namespace slipway::SLIPWAY_ISA {

struct BlockProduct {
  int64_t k = 0;
  const float* const* a = nullptr;  ///< A[i, p] = a[i][p]
  const float* b = nullptr;         ///< [K][vectors * kLanes]
  const float* bias = nullptr;      ///< [vectors * kLanes], added to every row; or null
  float* c = nullptr;               ///< C[i, j] = c[i * c_row + j]
  int64_t c_row = 0;
};

/// Rows of a call, at most, and vectors of its sums.
inline constexpr int64_t kBlockRows = 8;
inline constexpr int64_t kBlockSums = 24;

/// Rows of a call for blocks of so many vectors, at most: as the registers allow.
[[nodiscard, gnu::always_inline]] static constexpr int64_t block_rows(int64_t vectors) noexcept {
  return kLanes == 16 ? (vectors == 4 ? 6 : kBlockRows) : (vectors == 4 ? 2 : 4);
}

/// Rows of the next call where `left` remain: even parts, since few rows wait for memory.
[[nodiscard, gnu::always_inline]] static constexpr int64_t next_rows(int64_t left, int64_t vectors) noexcept {
  const int64_t calls = (left + block_rows(vectors) - 1) / block_rows(vectors);
  return (left + calls - 1) / calls;
}

/// 1 to block_rows(vectors) rows, 1 to 4 vectors.
void multiply_block(const BlockProduct& call, int64_t rows, int64_t vectors) noexcept;

}  // namespace slipway::SLIPWAY_ISA
