// Products of float32 matrices on tensor cores, as exact as float32: every number is split into a high and a low part
// of TF32, and three of the four products of parts are added up; or, where that was asked for, rounded to TF32.
//
// A block of threads makes a tile of 64 x 64 sums, 32 terms at a time, from copies of both operands in shared memory
// that arrive two steps ahead. Tensor cores round sums towards zero, so that after 32 terms these go to sums of the
// ordinary kind. An operand says where its tiles come from; Finish says where sums go.
//
// Shared memory, in floats: an operand whose terms lie one after the other is held row by row, [64][40], so that the 8
// rows and 4 pairs of terms that a half warp reads fall into 32 banks; one whose rows do, term by term, [32][68], so
// that the 4 terms and 8 rows that a warp reads do.
#pragma once

#include "ops/activation.cuh"
#include "ops/launch.cuh"
#include "ops/product.h"

namespace slipway::cuda {

inline constexpr int kProductTile = 64;
inline constexpr int kProductDepth = 32;
inline constexpr int kProductThreads = 128;
inline constexpr int kProductSteps = 2;  ///< tiles of an operand in shared memory
inline constexpr int kRowPitch = 40;
inline constexpr int kTermPitch = 68;
inline constexpr int kOperandFloats = kProductTile * kRowPitch;
inline constexpr int kSumsPlace = 2 * kProductSteps * kOperandFloats;
inline constexpr int64_t kProductBytes = int64_t{4} * (kSumsPlace + kProductTile * kTermPitch);

/// Part of a warp's tile: 2 x 4 blocks of 16 x 8 sums.
inline constexpr int kWarpRows = 2;
inline constexpr int kWarpColumns = 4;

/// A matrix [rows, terms]; one of its axes is contiguous.
template <bool kHasTermsInRow>
struct MatrixOperand {
  static constexpr bool kByRow = kHasTermsInRow;
  const float* data = nullptr;
  int64_t pitch = 0;      ///< from one row, or term, to the next
  bool is_whole = false;  ///< 16 bytes may be copied at a time

  [[nodiscard]] __device__ float at(int64_t row, int64_t term) const {
    return kByRow ? data[row * pitch + term] : data[term * pitch + row];
  }

  /// What a thread copies of the rows from `row` on.
  struct Cursor {
    const MatrixOperand& from;
    const float* first;  ///< of term 0
    int rows;            ///< from there on

    __device__ Cursor(const MatrixOperand& operand, int64_t row, int64_t end)
        : from(operand),
          first(operand.data + row * (kByRow ? operand.pitch : 1)),
          rows(static_cast<int>(min(end - row, static_cast<int64_t>(kProductTile)))) {}
    /// Starts to copy the tile of terms from `term` on; zeros where there is none.
    __device__ __forceinline__ void copy(float* shared, int64_t term, int64_t end) const {
      const float* at = first + term * (kByRow ? 1 : from.pitch);
      const int terms = static_cast<int>(min(end - term, static_cast<int64_t>(kProductDepth)));
      if (from.is_whole) {
        copy_vectors<4>(shared, at, terms);
      } else {
        copy_vectors<1>(shared, at, terms);
      }
    }
    template <int kFloats>
    __device__ __forceinline__ void copy_vectors(float* shared, const float* at, int terms) const {
      constexpr int kInner = (kByRow ? kProductDepth : kProductTile) / kFloats;
      constexpr int kOuter = kByRow ? kProductTile : kProductDepth;
      constexpr int kApart = kProductThreads / kInner;
      const int inner = threadIdx.x % kInner * kFloats;
      const int outer = threadIdx.x / kInner;
      const bool has_inner = inner < (kByRow ? terms : rows);
      const int64_t step = kApart * from.pitch;
      at += outer * from.pitch + inner;
      shared += outer * (kByRow ? kRowPitch : kTermPitch) + inner;
#pragma unroll 4
      for (int o = 0; o < kOuter; o += kApart, at += step) {
        copy_async<4 * kFloats>(shared + o * (kByRow ? kRowPitch : kTermPitch), at,
                                has_inner && outer + o < (kByRow ? rows : terms));
      }
    }
  };
};

/// Where a sum goes: y[row * y_row + column / inner * y_outer + column % inner] = f(alpha * sum + beta * c).
struct ProductFinish {
  float* y = nullptr;
  const float* c = nullptr;  ///< may be null
  int64_t y_row = 0;
  int64_t y_outer = 0;
  int64_t inner = 1;
  int64_t c_row = 0;
  int64_t c_column = 0;
  float alpha = 1.0f;
  float beta = 1.0f;
  ActivationCall activation;
};

/// A number as two of TF32, to 21 bits: tensor cores drop the last 13 bits of what they are given. The high part is
/// rounded to nearest, which may turn a NaN's bits into zero; its low part stays a NaN. So is that of an infinity
/// (redo_sum).
struct TwoParts {
  uint32_t high;
  uint32_t low;
};

template <bool kIsRounded>
[[nodiscard]] __device__ __forceinline__ TwoParts split(float x) {
  if constexpr (kIsRounded) return {to_tf32(x), 0};
  const uint32_t high = (__float_as_uint(x) + 0x1000u) & 0xffffe000u;
  return {high, __float_as_uint(x - __uint_as_float(high))};
}

/// Two terms of a row of an operand, side by side or one below the other.
template <bool kByRow>
__device__ __forceinline__ float2 load_terms(const float* shared, int row, int term) {
  if constexpr (kByRow) {
    return *reinterpret_cast<const float2*>(shared + row * kRowPitch + term);
  } else {
    return {shared[term * kTermPitch + row], shared[(term + 1) * kTermPitch + row]};
  }
}

using WarpSums = float[kWarpRows][kWarpColumns][4];

/// Adds 8 terms from `term` on: products of high parts to `sums`, those with a low part to `rests`, so that the
/// roundings of these do not add to those of the larger ones. Lane t of a row's four takes terms 2t and 2t + 1 for t
/// and t + 4 of the instruction: the order of terms does not matter to it.
template <bool kIsRounded, bool kLeftByRow, bool kRightByRow>
__device__ __forceinline__ void multiply_eight(const float* left, const float* right, int term, WarpSums& sums,
                                               WarpSums& rests) {
  const int lane = threadIdx.x % kWarp;
  const int warp = threadIdx.x / kWarp;
  const int first = term + lane % 4 * 2;
  const int left_row = warp / 2 * 16 * kWarpRows + lane / 4;
  const int right_row = warp % 2 * 8 * kWarpColumns + lane / 4;
  uint32_t high[kWarpColumns][2];
  uint32_t low[kWarpColumns][2];
#pragma unroll
  for (int n = 0; n < kWarpColumns; ++n) {
    const float2 pair = load_terms<kRightByRow>(right, right_row + 8 * n, first);
    const TwoParts x = split<kIsRounded>(pair.x);
    const TwoParts y = split<kIsRounded>(pair.y);
    high[n][0] = x.high;
    high[n][1] = y.high;
    low[n][0] = x.low;
    low[n][1] = y.low;
  }
#pragma unroll
  for (int m = 0; m < kWarpRows; ++m) {
    const float2 upper = load_terms<kLeftByRow>(left, left_row + 16 * m, first);
    const float2 lower = load_terms<kLeftByRow>(left, left_row + 16 * m + 8, first);
    const TwoParts parts[4] = {split<kIsRounded>(upper.x), split<kIsRounded>(lower.x), split<kIsRounded>(upper.y), split<kIsRounded>(lower.y)};
    const uint32_t left_high[4] = {parts[0].high, parts[1].high, parts[2].high, parts[3].high};
    const uint32_t left_low[4] = {parts[0].low, parts[1].low, parts[2].low, parts[3].low};
    if constexpr (!kIsRounded) {
#pragma unroll
      for (int n = 0; n < kWarpColumns; ++n) multiply_tf32(rests[m][n], left_low, high[n]);
#pragma unroll
      for (int n = 0; n < kWarpColumns; ++n) multiply_tf32(rests[m][n], left_high, low[n]);
    }
#pragma unroll
    for (int n = 0; n < kWarpColumns; ++n) multiply_tf32(sums[m][n], left_high, high[n]);
  }
}

/// Adds this thread's sums to a tile [64][68] in shared memory, which they begin where `is_first`; they become zero.
__device__ __forceinline__ void keep_sums(float* tile, bool is_first, WarpSums& sums, WarpSums& rests) {
  const int lane = threadIdx.x % kWarp;
  const int warp = threadIdx.x / kWarp;
  tile += (warp / 2 * 16 * kWarpRows + lane / 4) * kTermPitch + warp % 2 * 8 * kWarpColumns + lane % 4 * 2;
#pragma unroll
  for (int m = 0; m < kWarpRows; ++m) {
#pragma unroll
    for (int n = 0; n < kWarpColumns; ++n) {
#pragma unroll
      for (int i = 0; i < 4; i += 2) {
        auto* pair = reinterpret_cast<float2*>(tile + (16 * m + 4 * i) * kTermPitch + 8 * n);
        float2 sum = {sums[m][n][i] + rests[m][n][i], sums[m][n][i + 1] + rests[m][n][i + 1]};
        if (!is_first) sum = {pair->x + sum.x, pair->y + sum.y};
        *pair = sum;
        sums[m][n][i] = sums[m][n][i + 1] = rests[m][n][i] = rests[m][n][i + 1] = 0.0f;
      }
    }
  }
}

/// The sum of all terms in double: where an infinity has left a NaN.
template <typename Left, typename Right>
__device__ __noinline__ float redo_sum(const Left& left, const Right& right, int64_t row, int64_t column,
                                       int64_t terms) {
  double sum = 0.0;
  for (int64_t k = 0; k < terms; ++k) {
    sum += static_cast<double>(left.at(row, k)) * static_cast<double>(right.at(column, k));
  }
  return static_cast<float>(sum);
}

/// Sums over terms [begin, end) of the tile at (row, column), slice by slice, into shared memory.
template <bool kIsRounded, typename Left, typename Right>
__device__ __forceinline__ void sum_terms(float* memory, const Left& left, const Right& right,
                                          const ProductShape& shape, int64_t row, int64_t column, int64_t begin,
                                          int64_t end) {
  const typename Left::Cursor left_cursor(left, row, shape.rows);
  const typename Right::Cursor right_cursor(right, column, shape.columns);
  WarpSums sums = {};
  WarpSums rests = {};
  const int steps = static_cast<int>((end - begin + kProductDepth - 1) / kProductDepth);
  const int slice_steps = static_cast<int>(shape.slice / kProductDepth);
  int left_of_slice = slice_steps;
  for (int step = 1 - kProductSteps; step < steps; ++step) {
    if (step >= 0) {
      wait_for_copies<kProductSteps - 2>();
      __syncthreads();
    }
    const int ahead = step + kProductSteps - 1;
    if (ahead < steps) {
      float* shared = memory + ahead % kProductSteps * 2 * kOperandFloats;
      const int64_t term = begin + static_cast<int64_t>(ahead) * kProductDepth;
      left_cursor.copy(shared, term, end);
      right_cursor.copy(shared + kOperandFloats, term, end);
    }
    commit_copies();
    if (step < 0) continue;
    const float* shared = memory + step % kProductSteps * 2 * kOperandFloats;
    WarpSums few = {};
#pragma unroll
    for (int term = 0; term < kProductDepth; term += 8) {
      multiply_eight<kIsRounded, Left::kByRow, Right::kByRow>(shared, shared + kOperandFloats, term, few, rests);
    }
#pragma unroll
    for (int m = 0; m < kWarpRows; ++m) {
#pragma unroll
      for (int n = 0; n < kWarpColumns; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) sums[m][n][i] += few[m][n][i];
      }
    }
    if (--left_of_slice == 0 || step + 1 == steps) {
      keep_sums(memory + kSumsPlace, step < slice_steps, sums, rests);
      left_of_slice = slice_steps;
    }
  }
}

/// Writes a tile from shared memory; where blocks of a cluster have a slice each, this block's rows, added up slice by
/// slice. A thread has one column.
template <typename Left, typename Right>
__device__ __forceinline__ void finish_tile(const float* tile, const Left& left, const Right& right,
                                            const ProductShape& shape, const ProductFinish& finish, int64_t row,
                                            int64_t column, int rank) {
  constexpr int kApart = kProductThreads / kProductTile;
  const int in_tile = threadIdx.x % kProductTile;
  column += in_tile;
  if (column >= shape.columns) return;
  float* y = finish.y + column / finish.inner * finish.y_outer + column % finish.inner;
  const float* c = finish.c + column * finish.c_column;
  const int end = static_cast<int>(min(static_cast<int64_t>(kProductTile), shape.rows - row));
#pragma unroll 2
  for (int r = rank * kApart + threadIdx.x / kProductTile; r < end; r += shape.ranks * kApart) {
    const float* at = tile + r * kTermPitch + in_tile;
    float sum = 0.0f;
    if (shape.ranks == 1) {
      sum = *at;
    } else {
      sum = *in_cluster(at, 0);
      for (int other = 1; other < shape.ranks; ++other) sum += *in_cluster(at, other);
    }
    if (sum != sum) sum = redo_sum(left, right, row + r, column, shape.terms);
    sum *= finish.alpha;
    if (finish.c != nullptr) sum = fmaf(finish.beta, c[(row + r) * finish.c_row], sum);
    y[(row + r) * finish.y_row] = activate(finish.activation, sum);
  }
}

/// The tile of this block, or of this cluster.
template <typename Left, typename Right>
__device__ __forceinline__ void make_product(const Left& left, const Right& right, const ProductShape& shape,
                                             const ProductFinish& finish) {
  SLIPWAY_SHARED(float, memory);
  const int rank = shape.ranks > 1 ? static_cast<int>(cluster_rank()) : 0;
  const int64_t row = static_cast<int64_t>(blockIdx.y) * kProductTile;
  const int64_t column = static_cast<int64_t>(blockIdx.x / shape.ranks) * kProductTile;
  const int64_t begin = rank * shape.slice;
  const int64_t end = shape.ranks > 1 ? min(begin + shape.slice, shape.terms) : shape.terms;
  if (shape.is_rounded) {
    sum_terms<true>(memory, left, right, shape, row, column, begin, end);
  } else {
    sum_terms<false>(memory, left, right, shape, row, column, begin, end);
  }
  if (shape.ranks > 1) {
    sync_cluster();
  } else {
    __syncthreads();
  }
  finish_tile(memory + kSumsPlace, left, right, shape, finish, row, column, rank);
  if (shape.ranks > 1) sync_cluster();
}

/// Grid of the tiles, `copies` of them along z.
[[nodiscard]] inline Launch launch_of(const ProductShape& shape, int64_t copies) noexcept {
  const auto tiles = [](int64_t size) { return static_cast<unsigned>((size + kProductTile - 1) / kProductTile); };
  return {.grid = dim3(tiles(shape.columns) * static_cast<unsigned>(shape.ranks), tiles(shape.rows),
                       static_cast<unsigned>(copies)),
          .block = dim3(kProductThreads),
          .shared_bytes = kProductBytes,
          .cluster = shape.ranks};
}

}  // namespace slipway::cuda
