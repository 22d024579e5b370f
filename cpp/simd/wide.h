// Vectors of float64, each as wide as one of float32, in which float32 is summed up where its own roundings and ranges
// would show.
#pragma once

#include "simd/vec.h"

namespace slipway::SLIPWAY_ISA {

inline constexpr int64_t kWideLanes = kLanes / 2;

typedef double Wide __attribute__((vector_size(SLIPWAY_LANES * 4)));
typedef int64_t WideInt __attribute__((vector_size(SLIPWAY_LANES * 4)));

/// kWideLanes numbers from memory; and the lower and the upper half of a vector. Compilers make single elements, or
/// quarters, of the portable forms.
#if defined(__x86_64__) && SLIPWAY_LANES == 16
inline constexpr __mmask8 kAllWideLanes = 0xff;
[[gnu::always_inline]] static inline Wide load_wide(const float* p) noexcept {
  return _mm512_maskz_cvtps_pd(kAllWideLanes, _mm256_loadu_ps(p));
}
[[gnu::always_inline]] static inline Wide widen_low(Vec v) noexcept {
  const Half half = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
  return _mm512_maskz_cvtps_pd(kAllWideLanes, half);
}
[[gnu::always_inline]] static inline Wide widen_high(Vec v) noexcept {
  const Half half = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm512_maskz_cvtps_pd(kAllWideLanes, half);
}
[[gnu::always_inline]] static inline Vec narrow(Wide low, Wide high) noexcept {
  const Half lower = _mm512_maskz_cvtpd_ps(kAllWideLanes, low);
  const Half upper = _mm512_maskz_cvtpd_ps(kAllWideLanes, high);
  return __builtin_shufflevector(lower, upper, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
#elif defined(__x86_64__) && SLIPWAY_LANES == 8
[[gnu::always_inline]] static inline Wide load_wide(const float* p) noexcept {
  return _mm256_cvtps_pd(_mm_loadu_ps(p));
}
[[gnu::always_inline]] static inline Wide widen_low(Vec v) noexcept {
  return _mm256_cvtps_pd(_mm256_castps256_ps128(v));
}
[[gnu::always_inline]] static inline Wide widen_high(Vec v) noexcept {
  return _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1));
}
[[gnu::always_inline]] static inline Vec narrow(Wide low, Wide high) noexcept {
  return _mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low));
}
#elif defined(__x86_64__)
[[gnu::always_inline]] static inline Wide load_wide(const float* p) noexcept {
  return _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadu_si64(p)));
}
[[gnu::always_inline]] static inline Wide widen_low(Vec v) noexcept { return _mm_cvtps_pd(v); }
[[gnu::always_inline]] static inline Wide widen_high(Vec v) noexcept { return _mm_cvtps_pd(_mm_movehl_ps(v, v)); }
[[gnu::always_inline]] static inline Vec narrow(Wide low, Wide high) noexcept {
  return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
}
#else
[[gnu::always_inline]] static inline Wide load_wide(const float* p) noexcept {
  Wide v{};
  for (int64_t i = 0; i < kWideLanes; ++i) v[i] = p[i];
  return v;
}
[[gnu::always_inline]] static inline Wide widen_low(Vec v) noexcept {
  Wide wide{};
  for (int64_t i = 0; i < kWideLanes; ++i) wide[i] = v[i];
  return wide;
}
[[gnu::always_inline]] static inline Wide widen_high(Vec v) noexcept {
  Wide wide{};
  for (int64_t i = 0; i < kWideLanes; ++i) wide[i] = v[i + kWideLanes];
  return wide;
}
[[gnu::always_inline]] static inline Vec narrow(Wide low, Wide high) noexcept {
  Vec v{};
  for (int64_t i = 0; i < kWideLanes; ++i) v[i] = static_cast<float>(low[i]);
  for (int64_t i = 0; i < kWideLanes; ++i) v[i + kWideLanes] = static_cast<float>(high[i]);
  return v;
}
#endif
/// Minus zero, unlike plus zero, keeps -0 and costs no instruction.
[[gnu::always_inline]] static inline Wide broadcast_wide(double x) noexcept { return x - Wide{}; }
/// The first n lanes of v, the others zero.
[[gnu::always_inline]] static inline Wide first_of(Wide v, int64_t n) noexcept {
  WideInt places{};
  for (int i = 0; i < kWideLanes; ++i) places[i] = i;
  return places < n ? v : Wide{};
}
/// Lane i becomes lane i ^ Distance.
template <int Distance>
[[nodiscard, gnu::always_inline]] inline Wide swap_wide_lanes(Wide v) noexcept {
#if defined(__clang__)  // has no __builtin_shuffle, and makes a shuffle of the loop
  Wide swapped{};
  for (int i = 0; i < kWideLanes; ++i) swapped[i] = v[i ^ Distance];
  return swapped;
#else
  WideInt places{};
  for (int i = 0; i < kWideLanes; ++i) places[i] = i ^ Distance;
  return __builtin_shuffle(v, places);
#endif
}
/// The sum of all lanes, in pairs, pairs of pairs and so on.
[[nodiscard, gnu::always_inline]] static inline double sum_of_lanes(Wide v) noexcept {
#if SLIPWAY_LANES == 16
  v += swap_wide_lanes<4>(v);
#endif
#if SLIPWAY_LANES >= 8
  v += swap_wide_lanes<2>(v);
#endif
  v += swap_wide_lanes<1>(v);
  return v[0];
}

struct WideSums {
  double sum;
  double squares;
};

/// The sum of term(x[i]) over a row, and that of its squares: in one order, whatever stands beside the row.
template <typename Term>
[[nodiscard, gnu::always_inline]] inline WideSums wide_sums(const float* x, int64_t size, const Term& term) noexcept {
  constexpr int64_t kParts = 4;
  Wide sum[kParts] = {};
  Wide squares[kParts] = {};
  const auto add = [&](int64_t part, Wide v) {
    sum[part] += v;
    squares[part] += v * v;
  };
  int64_t i = 0;
  for (; i + kParts * kWideLanes <= size; i += kParts * kWideLanes) {
#pragma GCC unroll 4
    for (int64_t part = 0; part < kParts; ++part) add(part, term(load_wide(x + i + part * kWideLanes)));
  }
  for (; i + kWideLanes <= size; i += kWideLanes) add(0, term(load_wide(x + i)));
  if (i < size) add(1, first_of(term(widen_low(load_first(x + i, size - i))), size - i));
  return {sum_of_lanes((sum[0] + sum[1]) + (sum[2] + sum[3])),
          sum_of_lanes((squares[0] + squares[1]) + (squares[2] + squares[3]))};
}

}  // namespace slipway::SLIPWAY_ISA
