// Matrix product C = A B of float32 matrices, B in packed panels (simd/panels.h).
//
// Every element of C is summed in one order, whatever tile or thread it falls to: over blocks of kGemmDepth terms, a
// block from its first term to its last, then bias and blocks from left to right. A row's bits therefore depend neither
// on the other rows nor on the thread count, and the error grows with the block, not with K.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "simd/panels.h"
#include "simd/prepared_matrix.h"
#include "simd/vec.h"

namespace slipway::SLIPWAY_ISA {

/// What one thread does here, for grain_of(); small products reach half of it.
inline constexpr int64_t kMultiplyAddsPerNanosecond = 32;

struct Gemm {
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  const float* a = nullptr;  ///< A[i, p] = a[i * a_row + p * a_column], or tiles where a_row is 0
  int64_t a_row = 0;
  int64_t a_column = 1;
  const float* b = nullptr;         ///< panels of B [K, N], packed with kLanes
  const uint16_t* split = nullptr;  ///< or B as blocks of columns (simd/split.h), where the unit is there, A's rows are
                                    ///< dense, and neither row_bias nor accumulate is set
  void* split_scratch = nullptr;    ///< SplitScratch(m, n, k) bytes, aligned to 64
  SmallWeights small;  ///< or the same of fewer bytes, for at most kMostSmallRows rows; the bits of C do not change
  float* c = nullptr;  ///< C[i, j] = c[i * c_row + j]; must not overlap A or B
  int64_t c_row = 0;
  const float* row_bias = nullptr;     ///< [M], added to every column; or null
  const float* column_bias = nullptr;  ///< [N], added to every row; or null
  bool accumulate = false;             ///< C += A B instead of C = A B; both biases are null then
};

/// B as it was prepared, else as panels that the caller packs into `scratch`.
static inline void take_prepared(const PreparedMatrix& b, void* scratch, Gemm& product) noexcept {
  product.b = b ? b.panels : static_cast<const float*>(scratch);
  product.split = b.split;
  product.split_scratch = scratch;
  product.small = b.small;
}

/// On the calling thread, without `split`. Sizes may be zero; with K = 0, C becomes the bias.
void gemm(const Gemm& call) noexcept;

/// The same with the work split over `pool`, which may be null, where it is large enough.
void gemm(ThreadPool* pool, const Gemm& call) noexcept;

/// The same of a split B (simd/split_gemm_simd.cc).
void gemm_split(ThreadPool* pool, const Gemm& call) noexcept;

}  // namespace slipway::SLIPWAY_ISA
