// A few rows times a block of columns, all sums in registers: what a recurrent step does over and over.
//
// An element is summed in one order, whatever rows are computed with it: over parts of kGemmDepth terms, a part from
// its first term to its last, parts from left to right.
#pragma once

#include <cstdint>

#include "simd/panels.h"
#include "simd/vec.h"

namespace slipway::SLIPWAY_ISA {

struct BlockProduct {
  int64_t k = 0;
  const float* a = nullptr;  ///< A[i, p] = a[i * a_row + p]
  int64_t a_row = 0;
  const float* b = nullptr;  ///< [K][vectors * kLanes]
  float* c = nullptr;        ///< [rows][vectors * kLanes]
};

/// Sums that a call makes, in vectors, at most.
inline constexpr int64_t kBlockSums = 24;

/// Rows of the next call where `left` remain, for blocks of so many vectors: as many as the registers hold.
[[nodiscard, gnu::always_inline]] static constexpr int64_t block_rows(int64_t left, int64_t vectors) noexcept {
  const int64_t most = kLanes == 16 ? (vectors == 4 ? 6 : 8) : (vectors == 4 ? 2 : 4);
  if (left >= most) return most;
  return left >= 6 ? 6 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/// `rows` as block_rows has it.
void multiply_block(const BlockProduct& call, int64_t rows, int64_t vectors) noexcept;

}  // namespace slipway::SLIPWAY_ISA
