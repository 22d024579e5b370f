// The matrix product with a split B: rows of A are split, then meet the columns.
#include "simd/gemm.h"
#include "simd/split_simd.h"

#ifdef SLIPWAY_SPLITS

namespace slipway::SLIPWAY_ISA {

namespace {

constexpr int64_t kSplitsPerNanosecond = 4;
constexpr int64_t kSplitMultiplyAddsPerNanosecond = 120;
/// Blocks of columns that a thread takes at least.
constexpr int64_t kColumnUnit = 2;

struct Rows {
  int64_t first;
  int64_t count;
  uint16_t* parts;
  float* sums;
  int64_t width;   ///< of a row of sums
  float* largest;  ///< of each row
};

void split_rows(ThreadPool* pool, const Gemm& call, const Rows& rows) noexcept {
  parallel_for(pool, rows.count, grain_of(call.k, kSplitsPerNanosecond), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      rows.largest[i] = split_row(call.a + (rows.first + i) * call.a_row, call.k, i, rows.parts);
    }
  });
}

/// C = bias + sums in columns [begin, end).
void finish(const Gemm& call, const Rows& rows, int64_t begin, int64_t end) noexcept {
  for (int64_t i = 0; i < rows.count; ++i) {
    const float* sums = rows.sums + i * rows.width;
    float* c = call.c + (rows.first + i) * call.c_row;
    for (int64_t j = begin; j < end; j += kLanes) {
      const int64_t count = end - j < kLanes ? end - j : kLanes;
      Vec y = load(sums + j);
      if (call.column_bias != nullptr) y += load_first(call.column_bias + j, count);
      store_first(c + j, y, count);
    }
  }
}

void multiply_columns(ThreadPool* pool, const Gemm& call, const Rows& rows) noexcept {
  constexpr int64_t kUnit = kColumnUnit * kSplitLines;
  const int64_t work = rows.count * call.k * kUnit;
  const int64_t grain = grain_of(work, kSplitMultiplyAddsPerNanosecond);
  parallel_for(pool, (call.n + kUnit - 1) / kUnit, grain, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kUnit;
    const int64_t last = end * kUnit < call.n ? end * kUnit : call.n;
    const uint16_t* b = call.split + first / kSplitLines * split_block(call.k);
    SplitUnit().multiply({rows.count, last - first, call.k, rows.parts, b, rows.sums + first, rows.width});
    finish(call, rows, first, last);
  });
}

/// A row that does not split: its numbers are too large, too small or none.
[[gnu::noinline]] void multiply_plainly(const Gemm& call, int64_t row) noexcept {
  for (int64_t j = 0; j < call.n; ++j) {
    float sum = 0.0f;
    for (int64_t p = 0; p < call.k; ++p) {
      sum += call.a[row * call.a_row + p] * split_number(call.split + split_column_at(call.k, p, j));
    }
    call.c[row * call.c_row + j] = sum + (call.column_bias != nullptr ? call.column_bias[j] : 0.0f);
  }
}

}  // namespace

void gemm_split(ThreadPool* pool, const Gemm& call) noexcept {
  const SplitScratch scratch(call.m, call.n, call.k);
  auto* parts = static_cast<uint16_t*>(call.split_scratch);
  auto* sums = reinterpret_cast<float*>(parts + scratch.parts);
  float* largest = sums + scratch.rows * scratch.columns;
  for (int64_t first = 0; first < call.m; first += kSplitRowsAtOnce) {
    const int64_t count = call.m - first < kSplitRowsAtOnce ? call.m - first : kSplitRowsAtOnce;
    const Rows rows{first, count, parts, sums, scratch.columns, largest};
    split_rows(pool, call, rows);
    multiply_columns(pool, call, rows);
    for (int64_t i = 0; i < count; ++i) {
      if (!can_split(largest[i])) multiply_plainly(call, first + i);
    }
  }
}

}  // namespace slipway::SLIPWAY_ISA
#endif
