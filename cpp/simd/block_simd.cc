#include "simd/block.h"

namespace slipway::SLIPWAY_ISA {

namespace {

/// H rows by V vectors.
template <int H, int V>
void multiply(const BlockProduct& call) noexcept {
  for (int64_t first = 0; first == 0 || first < call.k; first += kGemmDepth) {
    const int64_t depth = call.k - first < kGemmDepth ? call.k - first : kGemmDepth;
    Vec sum[H][V] = {};
    const float* a = call.a + first;
    const float* b = call.b + first * V * kLanes;
    for (int64_t p = 0; p < depth; ++p, b += V * kLanes) {
      Vec y[V];
#pragma GCC unroll 4
      for (int j = 0; j < V; ++j) y[j] = load(b + j * kLanes);
#pragma GCC unroll 8
      for (int i = 0; i < H; ++i) {
        const Vec x = broadcast(a[i * call.a_row + p]);
#pragma GCC unroll 4
        for (int j = 0; j < V; ++j) sum[i][j] = fma(x, y[j], sum[i][j]);
      }
    }
    float* c = call.c;
#pragma GCC unroll 8
    for (int i = 0; i < H; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < V; ++j, c += kLanes) store(c, first == 0 ? sum[i][j] : load(c) + sum[i][j]);
    }
  }
}

template <int V>
void multiply_rows(const BlockProduct& call, int64_t rows) noexcept {
  switch (rows) {
    case 1:
      return multiply<1, V>(call);
    case 2:
      return multiply<2, V>(call);
    case 4:
      if constexpr (block_rows(8, V) >= 4) return multiply<4, V>(call);
      return;
    case 6:
      if constexpr (block_rows(8, V) >= 6) return multiply<6, V>(call);
      return;
    default:
      if constexpr (block_rows(8, V) >= 8) return multiply<8, V>(call);
      return;
  }
}

}  // namespace

void multiply_block(const BlockProduct& call, int64_t rows, int64_t vectors) noexcept {
  switch (vectors) {
    case 1:
      return multiply_rows<1>(call, rows);
    case 2:
      return multiply_rows<2>(call, rows);
    case 3:
      return multiply_rows<3>(call, rows);
    default:
      return multiply_rows<4>(call, rows);
  }
}

}  // namespace slipway::SLIPWAY_ISA
