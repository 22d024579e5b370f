// Sine and cosine of a vector, x in radians: within 3 units in the last place for every float32.
//
// |x| = n pi / 2 + r with |r| <= pi / 4, in float64, whose digits are enough for r beside a multiple of pi / 2 (the
// nearest float32 up to 2^20 is 1e-8 off). Which of sin r and cos r it is, and its sign, is told by the last bits of n.
#pragma once

#include "simd/wide.h"

namespace slipway::SLIPWAY_ISA {

/// The remainder, and n modulo 2^22 as a float.
struct Quadrant {
  Vec rest;
  Vec n;
};

/// Of 0 <= x <= kNearAngle.
constexpr float kNearAngle = 1048576.0f;

[[gnu::always_inline]] static inline Quadrant quadrant_of(Vec x) noexcept {
  struct Part {
    Wide rest;
    Wide n;
  };
  const auto part = [](Wide v) {
    // Adding 1.5 * 2^52 rounds to an integer. pi / 2 in two parts, the first of 33 bits, so that n times it is exact.
    const Wide shifter = broadcast_wide(6755399441055744.0);
    const Wide n = (v * 0.63661977236758138 + shifter) - shifter;
    return Part{(v - n * 1.5707963267341256) - n * 6.0771005065061922e-11, n};
  };
  const Part low = part(widen_low(x));
  const Part high = part(widen_high(x));
  return {narrow(low.rest, high.rest), narrow(low.n, high.n)};
}

/// r + r^3 s(r^2) for |r| <= pi / 4, s fitted with least maximal relative error, 3.8e-9 (Lawson's weighted least
/// squares).
[[gnu::always_inline]] static inline Vec sin_near(Vec r) noexcept {
  const Vec square = r * r;
  Vec s = broadcast(-0.00019514958f);
  s = fma(s, square, broadcast(0.008332158f));
  s = fma(s, square, broadcast(-0.16666655f));
  return fma(s * square, r, r);
}

/// 1 - r^2 / 2 + r^4 c(r^2) likewise, 1.2e-10.
[[gnu::always_inline]] static inline Vec cos_near(Vec r) noexcept {
  const Vec square = r * r;
  Vec c = broadcast(2.4432786e-05f);
  c = fma(c, square, broadcast(-0.0013887313f));
  c = fma(c, square, broadcast(0.041666646f));
  return fma(c * square, square, fma(square, broadcast(-0.5f), broadcast(1.0f)));
}

/// The sine of |x| + turns pi / 2, and where |x| is beyond kNearAngle, infinite or NaN what `far` says of that lane.
template <int Turns>
[[gnu::always_inline]] inline Vec sin_of_size(Vec x, double (*far)(double)) noexcept {
  const Vec size = abs(x);
  const VecInt is_near = size <= kNearAngle;
  const Quadrant quadrant = quadrant_of(is_near ? size : Vec{});
  const VecInt n = __builtin_convertvector(quadrant.n, VecInt) + Turns;
  const Vec y = (n & 1) == 0 ? sin_near(quadrant.rest) : cos_near(quadrant.rest);
  Vec signed_y = reinterpret_cast<Vec>(reinterpret_cast<VecInt>(y) ^ ((n & 2) << 30));
  const auto both = [](Vec a, Vec b) {
    return reinterpret_cast<Vec>(reinterpret_cast<VecInt>(a) & reinterpret_cast<VecInt>(b));
  };
  if (reinterpret_cast<VecInt>(join_lanes(reinterpret_cast<Vec>(is_near), both))[0] == 0) {
    for (int64_t i = 0; i < kLanes; ++i) {
      if (is_near[i] == 0) signed_y[i] = static_cast<float>(far(size[i]));
    }
  }
  return signed_y;
}

[[gnu::always_inline]] static inline Vec cos(Vec x) noexcept {
  return sin_of_size<1>(x, [](double far) { return __builtin_cos(far); });
}

/// Of |x|, with the sign of x; minus zero stays.
[[gnu::always_inline]] static inline Vec sin(Vec x) noexcept {
  const VecInt sign = reinterpret_cast<VecInt>(x) & reinterpret_cast<VecInt>(broadcast(-0.0f));
  const Vec y = sin_of_size<0>(x, [](double far) { return __builtin_sin(far); });
  return reinterpret_cast<Vec>(reinterpret_cast<VecInt>(y) ^ sign);
}

}  // namespace slipway::SLIPWAY_ISA
