// Two vectors whose operations alternate. A processor looks a few dozen instructions ahead: where each waits for the
// one before, as in a polynomial, it finds few there that can start, and twice as many where two chains alternate. What
// is a template over its vector (simd/math.h) takes either.
#pragma once

#include "simd/vec.h"

namespace slipway::SLIPWAY_ISA {

struct Pair {
  Vec first;
  Vec second;

  [[gnu::always_inline]] Pair(Vec both) noexcept : first(both), second(both) {}  // NOLINT: constants are for both
  [[gnu::always_inline]] Pair(Vec a, Vec b) noexcept : first(a), second(b) {}

  [[gnu::always_inline]] friend Pair operator+(const Pair& a, const Pair& b) noexcept {
    return {a.first + b.first, a.second + b.second};
  }
  [[gnu::always_inline]] friend Pair operator-(const Pair& a, const Pair& b) noexcept {
    return {a.first - b.first, a.second - b.second};
  }
  [[gnu::always_inline]] friend Pair operator*(const Pair& a, const Pair& b) noexcept {
    return {a.first * b.first, a.second * b.second};
  }
  [[gnu::always_inline]] friend Pair operator/(const Pair& a, const Pair& b) noexcept {
    return {a.first / b.first, a.second / b.second};
  }
  [[gnu::always_inline]] friend Pair operator-(const Pair& a) noexcept { return {-a.first, -a.second}; }
};

[[gnu::always_inline]] static inline Pair load_pair(const float* p) noexcept { return {load(p), load(p + kLanes)}; }
[[gnu::always_inline]] static inline void store(float* p, const Pair& v) noexcept {
  store(p, v.first);
  store(p + kLanes, v.second);
}

[[gnu::always_inline]] static inline Pair fma(const Pair& a, const Pair& b, const Pair& c) noexcept {
  return {fma(a.first, b.first, c.first), fma(a.second, b.second, c.second)};
}
[[gnu::always_inline]] static inline Pair max(const Pair& a, const Pair& b) noexcept {
  return {max(a.first, b.first), max(a.second, b.second)};
}
[[gnu::always_inline]] static inline Pair min(const Pair& a, const Pair& b) noexcept {
  return {min(a.first, b.first), min(a.second, b.second)};
}

/// -|x|.
[[gnu::always_inline]] static inline Vec minus_abs(Vec x) noexcept {
  return reinterpret_cast<Vec>(reinterpret_cast<VecInt>(x) | reinterpret_cast<VecInt>(broadcast(-0.0f)));
}
[[gnu::always_inline]] static inline Pair minus_abs(const Pair& x) noexcept {
  return {minus_abs(x.first), minus_abs(x.second)};
}
[[gnu::always_inline]] static inline Pair abs(const Pair& x) noexcept { return {abs(x.first), abs(x.second)}; }

/// `size`, which has no sign, with that of x.
[[gnu::always_inline]] static inline Vec with_sign_of(Vec x, Vec size) noexcept {
  const VecInt sign = reinterpret_cast<VecInt>(x) & reinterpret_cast<VecInt>(broadcast(-0.0f));
  return reinterpret_cast<Vec>(reinterpret_cast<VecInt>(size) | sign);
}
[[gnu::always_inline]] static inline Pair with_sign_of(const Pair& x, const Pair& size) noexcept {
  return {with_sign_of(x.first, size.first), with_sign_of(x.second, size.second)};
}

/// a where x has a minus sign, else b.
[[gnu::always_inline]] static inline Vec by_sign(Vec x, Vec a, Vec b) noexcept {
  return reinterpret_cast<VecInt>(x) < 0 ? a : b;
}
[[gnu::always_inline]] static inline Pair by_sign(const Pair& x, const Pair& a, const Pair& b) noexcept {
  return {by_sign(x.first, a.first, b.first), by_sign(x.second, a.second, b.second)};
}

/// The lowest nine bits of x as the exponent, and the sign, of a power of two.
[[gnu::always_inline]] static inline Vec power_of_bits(Vec x) noexcept {
  return reinterpret_cast<Vec>(reinterpret_cast<VecInt>(x) << 23);
}
[[gnu::always_inline]] static inline Pair power_of_bits(const Pair& x) noexcept {
  return {power_of_bits(x.first), power_of_bits(x.second)};
}

#if defined(__x86_64__) && SLIPWAY_LANES == 16
/// y 2^n, whatever whole number n is.
[[gnu::always_inline]] static inline Vec scale(Vec y, Vec n) noexcept {
  return _mm512_maskz_scalef_ps(kAllLanes, y, n);
}
[[gnu::always_inline]] static inline Pair scale(const Pair& y, const Pair& n) noexcept {
  return {scale(y.first, n.first), scale(y.second, n.second)};
}
#endif

}  // namespace slipway::SLIPWAY_ISA
