// Matrices of float32 as sums of three of bfloat16, for units that multiply bfloat16 and add in float32.
//
// x = x0 + x1 + x2, exactly: each is the nearest bfloat16 to what the ones before leave. Of the nine products of two
// such sums the six largest are added, five of all terms before the largest; what is left out is
// below 2^-25 of the product. Henry, Tang and Heinecke 2019, "Leveraging the bfloat16 Artificial Intelligence Datatype
// For Higher-Precision Computations", section III.
//
// Blocks hold sixteen lines, rows of A or columns of B, and all terms: for each kSplitTerms of them x0, then x1, then
// x2; rows as [16 rows][32 terms], columns as [16 pairs of terms][16 columns][2]. Lines and terms that are missing are
// zero.
#pragma once

#include <bit>
#include <cstdint>

namespace slipway {

inline constexpr int64_t kSplitLines = 16;
inline constexpr int64_t kSplitTerms = 32;
inline constexpr int64_t kSplitTile = kSplitLines * kSplitTerms;
inline constexpr int kSplitParts = 3;
inline constexpr int64_t kSplitGroup = kSplitParts * kSplitTile;

/// Blocks that so many lines take, and groups of terms.
[[nodiscard]] static constexpr int64_t split_blocks(int64_t lines) noexcept {
  return (lines + kSplitLines - 1) / kSplitLines;
}
[[nodiscard]] static constexpr int64_t split_groups(int64_t k) noexcept { return (k + kSplitTerms - 1) / kSplitTerms; }

/// bfloat16 numbers of a block, and of all blocks of a matrix.
[[nodiscard]] static constexpr int64_t split_block(int64_t k) noexcept { return split_groups(k) * kSplitGroup; }
[[nodiscard]] static constexpr int64_t split_size(int64_t lines, int64_t k) noexcept {
  return split_blocks(lines) * split_block(k);
}

/// The nearest bfloat16, ties away from zero, as float32; for |x| < kMostSplit.
[[nodiscard]] static constexpr float split_first(float x) noexcept {
  return std::bit_cast<float>((std::bit_cast<uint32_t>(x) + 0x8000U) & 0xffff0000U);
}

/// Magnitudes between which all three parts of a number, and products of them, are exact or of no account: 2^-60 to
/// 2^60. The largest of a line must lie between them, or be zero.
inline constexpr float kLeastSplit = 0x1p-60F;
inline constexpr float kMostSplit = 0x1p60F;

[[nodiscard]] static constexpr bool can_split(float largest) noexcept {
  return largest == 0.0F || (largest >= kLeastSplit && largest <= kMostSplit);
}

/// Where column j's term p of a packed B begins, of its first part.
[[nodiscard]] static constexpr int64_t split_column_at(int64_t k, int64_t p, int64_t j) noexcept {
  return j / kSplitLines * split_block(k) + p / kSplitTerms * kSplitGroup +
         (p % kSplitTerms / 2 * kSplitLines + j % kSplitLines) * 2 + p % 2;
}

/// The number whose first part is at `part`.
[[nodiscard]] static constexpr float split_number(const uint16_t* part) noexcept {
  float sum = 0.0F;
  for (int i = kSplitParts - 1; i >= 0; --i) sum += std::bit_cast<float>(uint32_t{part[i * kSplitTile]} << 16U);
  return sum;
}

/// B[p, j] = b[p * row + j * column] becomes blocks of columns.
[[maybe_unused]] static void split_columns(const float* b, int64_t row, int64_t column, int64_t k, int64_t n,
                                           uint16_t* out) noexcept {
  for (int64_t i = 0; i < split_size(n, k); ++i) out[i] = 0;
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t p = 0; p < k; ++p) {
      uint16_t* to = out + split_column_at(k, p, j);
      float rest = b[p * row + j * column];
      for (int part = 0; part < kSplitParts; ++part, to += kSplitTile) {
        const float first = split_first(rest);
        *to = static_cast<uint16_t>(std::bit_cast<uint32_t>(first) >> 16U);
        rest -= first;
      }
    }
  }
}

/// Rows of A that are split at once; their parts and sums stay in the second cache.
inline constexpr int64_t kSplitRowsAtOnce = 128;

/// What a product needs beside its operands: the parts of rows of A, their sums, the largest magnitude of each.
struct SplitScratch {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t parts = 0;  ///< bfloat16 numbers

  constexpr SplitScratch(int64_t m, int64_t n, int64_t k) noexcept
      : rows(m < kSplitRowsAtOnce ? split_blocks(m) * kSplitLines : kSplitRowsAtOnce),
        columns(split_blocks(n) * kSplitLines),
        parts(split_size(rows, k)) {}
  [[nodiscard]] constexpr int64_t bytes() const noexcept { return 2 * parts + 4 * rows * (columns + 1); }
};

/// C = A B of split matrices. C has room for whole blocks.
struct SplitProduct {
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  const uint16_t* a = nullptr;
  const uint16_t* b = nullptr;
  float* c = nullptr;  ///< C[i, j] = c[i * c_row + j]
  int64_t c_row = 0;
};

}  // namespace slipway
