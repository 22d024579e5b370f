// exp, expm1 below zero, sigmoid, tanh, log, erf and erfc of a vector: within 3 units in the last place over the whole
// range, denormals included; erfc far out within ten.
//
// All but log rest on e^x = 2^n (1 + s), n = round(x / ln 2), s = e^r - 1 with |r| <= ln 2 / 2. NaN stays NaN, and
// no flag of overflow is raised by sigmoid and tanh.
#pragma once

#include "simd/pair.h"

namespace slipway::SLIPWAY_ISA {

/// e^x in parts.
template <int Above, typename V>
struct Exponential {
  V s;        ///< e^r - 1
  V whole;    ///< n
  V shifted;  ///< with n + 127 + Above in its lowest nine bits

  /// 2^(n + Above), for -126 <= n + Above <= 127.
  [[nodiscard, gnu::always_inline]] V power() const noexcept { return power_of_bits(shifted); }
};

/// Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits; with more added, so does its sum.
template <int Above>
[[gnu::always_inline]] static inline Vec shifter_of() noexcept {
  return broadcast(12582912.0f + 127.0f + static_cast<float>(Above));
}

/// For -150 <= x / ln 2 <= 150, or NaN.
template <int Above = 0, typename V>
[[gnu::always_inline]] static inline Exponential<Above, V> split_exp(V x) noexcept {
  const V shifted = fma(x, broadcast(1.44269504f), shifter_of<Above>());
  const V n = shifted - shifter_of<Above>();
  // ln 2 in two parts, the first of 16 bits, so that n times it is exact.
  V r = fma(n, broadcast(-0.69314575f), x);
  r = fma(n, broadcast(-1.42860677e-6f), r);
  // 1 + r + r^2 q(r), q fitted with least maximal relative error, 3.8e-9 (Lawson's weighted least squares).
  V q = fma(r, broadcast(0.00138145988f), broadcast(0.00836871658f));
  q = fma(q, r, broadcast(0.041668389f));
  q = fma(q, r, broadcast(0.166665211f));
  q = fma(q, r, broadcast(0.49999994f));
  return {fma(q * r, r, r), n, shifted};
}

/// 2^n for -126 <= n <= 127.
[[gnu::always_inline]] static inline Vec power_of_two(VecInt n) noexcept {
  return reinterpret_cast<Vec>((n + 127) << 23);
}

/// (1 + s) 2^n, down to denormals and up to infinity.
[[gnu::always_inline]] static inline Vec joined(const Exponential<0, Vec>& e) noexcept {
  const Vec y = e.s + broadcast(1.0f);
#if defined(__x86_64__) && SLIPWAY_LANES == 16
  return scale(y, e.whole);
#else
  // Two factors reach both ends.
  const VecInt n = reinterpret_cast<VecInt>(e.shifted) - reinterpret_cast<VecInt>(shifter_of<0>());
  const VecInt half = n >> 1;
  return y * power_of_two(half) * power_of_two(n - half);
#endif
}
[[gnu::always_inline]] static inline Pair joined(const Exponential<0, Pair>& e) noexcept {
  return {joined(Exponential<0, Vec>{e.s.first, e.whole.first, e.shifted.first}),
          joined(Exponential<0, Vec>{e.s.second, e.whole.second, e.shifted.second})};
}

/// What is added to n where e^x is not above 1: one factor reaches denormals then, and the other is the same for all.
constexpr int kBelow = 64;
constexpr float kBelowFactor = 5.421010862427522e-20f;  // 2^-64

/// y 2^n for -150 <= n <= 0, down to denormals.
[[gnu::always_inline]] static inline Vec scaled_below(Vec y, const Exponential<kBelow, Vec>& e) noexcept {
#if defined(__x86_64__) && SLIPWAY_LANES == 16
  return scale(y, e.whole);
#else
  return y * e.power() * broadcast(kBelowFactor);
#endif
}

/// e^x for -104 <= x <= 0, or NaN.
template <typename V>
[[gnu::always_inline]] static inline V joined_below(const Exponential<kBelow, V>& e) noexcept {
#if defined(__x86_64__) && SLIPWAY_LANES == 16
  return scale(e.s + broadcast(1.0f), e.whole);
#else
  const V power = e.power();
  return fma(power, e.s, power) * broadcast(kBelowFactor);
#endif
}

/// e^x - 1.
template <typename V>
[[gnu::always_inline]] static inline V joined_less_one(const Exponential<0, V>& e) noexcept {
  const V power = e.power();
  return fma(power, e.s, power - broadcast(1.0f));
}

template <typename V>
[[gnu::always_inline]] static inline V exp(V x) noexcept {
  // Beyond these e^x is infinite or rounds to zero.
  return joined(split_exp(min(max(x, broadcast(-104.0f)), broadcast(89.0f))));
}

/// e^x for x <= 0.
template <typename V>
[[gnu::always_inline]] static inline V exp_below(V x) noexcept {
  return joined_below(split_exp<kBelow>(max(x, broadcast(-104.0f))));
}

/// 1 / (1 + e^-x), from e^-|x| so that nothing overflows.
template <typename V>
[[gnu::always_inline]] static inline V sigmoid(V x) noexcept {
  const V e = exp_below(minus_abs(x));
  return by_sign(x, e, broadcast(1.0f)) / (broadcast(1.0f) + e);
}

/// m / (m + 2) with m = e^2|x| - 1, which keeps its digits where x is small.
template <typename V>
[[gnu::always_inline]] static inline V tanh(V x) noexcept {
  // Beyond 10, tanh rounds to 1.
  const V size = min(abs(x), broadcast(10.0f));
  const V m = joined_less_one(split_exp(size + size));
  return with_sign_of(x, m / (m + broadcast(2.0f)));
}

/// e^x - 1 for x <= 0, else anything; keeps its digits where x is small.
[[gnu::always_inline]] static inline Vec expm1_below(Vec x) noexcept {
  // Below -30 it rounds to -1.
  return joined_less_one(split_exp(max(x, broadcast(-30.0f))));
}

/// erfc(x) = e^-x^2 g(x) for x >= 0; g fitted in (x - 3) / (x + 3) up to 10.2 with least maximal relative error, 3.4e-8
/// (Lawson's weighted least squares).
[[gnu::always_inline]] static inline Vec erfc_above(Vec x) noexcept {
  // Beyond this it rounds to zero.
  const Vec t = min(x, broadcast(10.19f));
  const Vec w = (t - 3.0f) / (t + 3.0f);
  Vec g = broadcast(-6.668371e-05f);
  g = fma(g, w, broadcast(-0.00058506714f));
  g = fma(g, w, broadcast(0.00079112663f));
  g = fma(g, w, broadcast(0.00427846f));
  g = fma(g, w, broadcast(-0.02441573f));
  g = fma(g, w, broadcast(0.071663246f));
  g = fma(g, w, broadcast(-0.15011331f));
  g = fma(g, w, broadcast(0.24560393f));
  g = fma(g, w, broadcast(-0.32623366f));
  g = fma(g, w, broadcast(0.17900115f));
  // What the square loses in rounding comes after.
  const Vec square = t * t;
  const Vec rest = fma(t, t, -square);
  const auto e = split_exp<kBelow>(-square);
  return scaled_below(fma(-rest, g, g) * (e.s + 1.0f), e);
}

/// An odd polynomial up to 0.9, fitted likewise to 1.2e-8; beyond, 1 - erfc.
[[gnu::always_inline]] static inline Vec erf(Vec x) noexcept {
  const Vec size = abs(x);
  const Vec square = x * x;
  Vec p = broadcast(-0.00060903537f);
  p = fma(p, square, broadcast(0.005011962f));
  p = fma(p, square, broadcast(-0.026778908f));
  p = fma(p, square, broadcast(0.11282141f));
  p = fma(p, square, broadcast(-0.37612525f));
  p = fma(p, square, broadcast(0.12837915f));
  const Vec far = with_sign_of(x, 1.0f - erfc_above(size));
  return size > 0.9f ? far : fma(p, x, x);
}

/// log(1 + f) + rest for 1 + f between sqrt(1/2) and sqrt(2), rest far smaller than either: by s = f / (2 + f), as
/// 2 atanh(s). The polynomial is that of FreeBSD's e_logf.c.
[[gnu::always_inline]] static inline Vec log1p_near(Vec f, Vec rest) noexcept {
  const Vec s = f / (f + broadcast(2.0f));
  const Vec z = s * s;
  Vec r = broadcast(0.24279078841f);
  r = fma(r, z, broadcast(0.28498786688f));
  r = fma(r, z, broadcast(0.40000972152f));
  r = fma(r, z, broadcast(0.66666662693f)) * z;
  const Vec half = f * f * 0.5f;
  return f - (half - fma(s, half + r, rest));
}

/// ln 2 = the sum of these, the first of so few bits that multiples of it are exact.
constexpr float kLogTwo = 0.69313812256f;
constexpr float kLogTwoRest = 9.0580006145e-06f;

/// x = 2^k (1 + f) with 1 + f between sqrt(1/2) and sqrt(2).
[[gnu::always_inline]] static inline Vec log(Vec x) noexcept {
  // Of others the bits less those of sqrt(1/2) would overflow.
  const Vec positive = x > 0.0f ? x : broadcast(1.0f);
  const VecInt is_small = positive < 1.17549435e-38f;
  const VecInt bits = reinterpret_cast<VecInt>(is_small ? positive * 33554432.0f : positive);
  const VecInt power = (bits - 0x3f3504f3) >> 23;
  const Vec k = __builtin_convertvector(power - (is_small & 25), Vec);
  const Vec f = reinterpret_cast<Vec>(bits - (power << 23)) - broadcast(1.0f);
  const Vec y = fma(k, broadcast(kLogTwo), log1p_near(f, k * kLogTwoRest));
  const Vec infinity = broadcast(__builtin_inff());
  const Vec outside = x == 0.0f ? -infinity : broadcast(__builtin_nanf(""));
  return x > 0.0f ? (x == infinity ? x : y) : outside;
}

}  // namespace slipway::SLIPWAY_ISA
