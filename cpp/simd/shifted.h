// Products of packed tiles with rows that are shifts of one stretch of memory: a convolution without im2col.
#pragma once

#include <cstdint>

#include "simd/panels.h"
#include "simd/vec.h"

namespace slipway::SLIPWAY_ISA {

/// C[i, j] = bias[i] + the sum over p < K of A[i, p] * from[offsets[p] + j], for i < M and j < N. Every element is
/// summed in one order: over blocks of kGemmDepth terms, a block from its first term to its last, blocks from left to
/// right.
struct Shifted {
  int64_t m = 0;
  int64_t n = 0;  ///< a multiple of 2 * kLanes
  int64_t k = 0;
  const float* tiles = nullptr;  ///< A: for each block of kGemmDepth terms the tiles of all rows (panels.h)
  const float* from = nullptr;   ///< readable up to the largest offset + n
  const int32_t* offsets = nullptr;
  const float* bias = nullptr;  ///< [M], or null
  float* c = nullptr;           ///< [M, N]
};

void multiply_shifted(const Shifted& call) noexcept;

}  // namespace slipway::SLIPWAY_ISA
