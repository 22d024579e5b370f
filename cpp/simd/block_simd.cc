#include "simd/block.h"

namespace slipway::SLIPWAY_ISA {

namespace {

alignas(64) constexpr float kZeros[4 * kLanes] = {};

/// Keeps the compiler from reading a vector from memory once for each of its uses.
[[gnu::always_inline]] inline Vec in_register(Vec v) noexcept {
#if defined(__x86_64__)
  asm("" : "+v"(v));
#elif defined(__aarch64__)
  asm("" : "+w"(v));
#endif
  return v;
}

/// sum[i, j] += a[i][p] b[j].
template <int H, int V>
[[gnu::always_inline]] inline void add_term(const float* const (&a)[H], int64_t p, const float* b,
                                            Vec (&sum)[H][V]) noexcept {
  Vec y[V];
#pragma GCC unroll 4
  for (int j = 0; j < V; ++j) y[j] = H == 1 ? load(b + j * kLanes) : in_register(load(b + j * kLanes));
#pragma GCC unroll 8
  for (int i = 0; i < H; ++i) {
    const Vec x = broadcast(a[i][p]);
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) sum[i][j] = fma(x, y[j], sum[i][j]);
  }
}

/// H rows by V vectors. One vector sums odd terms apart, so that even one row has two sums under way.
template <int H, int V>
void multiply(const BlockProduct& call) noexcept {
  const float* a[H];
#pragma GCC unroll 8
  for (int i = 0; i < H; ++i) a[i] = call.a[i];
  const float* b = call.b;
  for (int64_t first = 0; first == 0 || first < call.k; first += kGemmDepth) {
    const int64_t end = call.k - first < kGemmDepth ? call.k : first + kGemmDepth;
    Vec sum[H][V] = {};
    int64_t p = first;
    if constexpr (V == 1) {
      Vec odd[H][1] = {};
      for (; p + 2 <= end; p += 2, b += 2 * kLanes) {
        add_term<H, V>(a, p, b, sum);
        add_term<H, V>(a, p + 1, b + kLanes, odd);
      }
#pragma GCC unroll 8
      for (int i = 0; i < H; ++i) sum[i][0] += odd[i][0];
    }
#pragma GCC unroll 2
    for (; p < end; ++p, b += V * kLanes) add_term<H, V>(a, p, b, sum);
    float* c = call.c;
    const float* start = first > 0 ? c : call.bias != nullptr ? call.bias : kZeros;
    const int64_t start_row = first > 0 ? call.c_row : 0;
#pragma GCC unroll 8
    for (int i = 0; i < H; ++i, c += call.c_row, start += start_row) {
#pragma GCC unroll 4
      for (int j = 0; j < V; ++j) store(c + j * kLanes, load(start + j * kLanes) + sum[i][j]);
    }
  }
}

template <int V, int H = block_rows(V)>
void multiply_rows(const BlockProduct& call, int64_t rows) noexcept {
  if constexpr (H > 1) {
    if (rows < H) return multiply_rows<V, H - 1>(call, rows);
  }
  multiply<H, V>(call);
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
