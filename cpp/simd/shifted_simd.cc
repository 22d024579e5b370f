// The product of tiles with shifts: a panel of columns stays in the first cache while every tile of rows meets it.
#include "simd/shifted.h"

namespace slipway::SLIPWAY_ISA {

namespace {

constexpr int64_t kPanel = 2 * kLanes;
/// Rows whose sums of four vectors the registers hold beside what is read.
constexpr int kFewRows = kLanes == 16 ? 4 : 2;

/// Terms [first, first + depth) of H rows from `row` on and of V vectors of columns from `column` on.
template <int H, int V>
void multiply(const Shifted& call, int64_t first, int64_t depth, int64_t row, int64_t column) noexcept {
  Vec sum[H][V] = {};
  const float* a = call.tiles + first * call.m + row * depth;
  const float* from = call.from + column;
  for (int64_t p = 0; p < depth; ++p, a += H) {
    const float* at = from + call.offsets[first + p];
    Vec x[V];
#pragma GCC unroll 4
    for (int q = 0; q < V; ++q) x[q] = load(at + q * kLanes);
#pragma GCC unroll 12
    for (int i = 0; i < H; ++i) {
      const Vec weight = broadcast(a[i]);
#pragma GCC unroll 4
      for (int q = 0; q < V; ++q) sum[i][q] = fma(weight, x[q], sum[i][q]);
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < H; ++i) {
    float* c = call.c + (row + i) * call.n + column;
    const Vec bias = call.bias != nullptr ? broadcast(call.bias[row + i]) : Vec{};
#pragma GCC unroll 4
    for (int q = 0; q < V; ++q) {
      const Vec before = first > 0 ? load(c + q * kLanes) : bias;
      store(c + q * kLanes, before + sum[i][q]);
    }
  }
}

/// One tile of rows against `columns` columns, whole panels. Few rows take more vectors, which hides the latency of the
/// sums.
template <int H>
void multiply_tile(const Shifted& call, int64_t first, int64_t depth, int64_t row, int64_t column,
                   int64_t columns) noexcept {
  if constexpr (H <= kFewRows) {
    if (columns > kPanel) return multiply<H, 4>(call, first, depth, row, column);
  }
  for (int64_t done = 0; done < columns; done += kPanel) multiply<H, 2>(call, first, depth, row, column + done);
}

}  // namespace

void multiply_shifted(const Shifted& call) noexcept {
  for (int64_t first = 0; first < call.k; first += kGemmDepth) {
    const int64_t depth = call.k - first < kGemmDepth ? call.k - first : kGemmDepth;
    for (int64_t column = 0; column < call.n; column += 2 * kPanel) {
      const int64_t columns = call.n - column < 2 * kPanel ? call.n - column : 2 * kPanel;
      for (int64_t row = 0; row < call.m;) {
        const int64_t height = tile_height(call.m - row, kLanes);
        switch (height) {
          case 1:
            multiply_tile<1>(call, first, depth, row, column, columns);
            break;
          case 2:
            multiply_tile<2>(call, first, depth, row, column, columns);
            break;
          case 4:
            multiply_tile<4>(call, first, depth, row, column, columns);
            break;
          case 8:
            if constexpr (tile_rows(kLanes) > 8) multiply_tile<8>(call, first, depth, row, column, columns);
            break;
          default:
            multiply_tile<static_cast<int>(tile_rows(kLanes))>(call, first, depth, row, column, columns);
        }
        row += height;
      }
    }
  }
}

}  // namespace slipway::SLIPWAY_ISA
