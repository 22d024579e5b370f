// Mish of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"
#include "simd/math.h"

namespace slipway {

namespace scalar {

void mish(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

namespace {

/// The quotient of mish.h, of u = e^-|x|. Below zero the power of two of u comes last, for u alone may be denormal.
[[gnu::always_inline]] inline Vec mish_of(Vec x) noexcept {
  // Below this y rounds to zero.
  const Vec below = max(minus_abs(x), broadcast(-110.0f));
  const auto e = split_exp<kBelow>(below);
  const Vec u = joined_below(e);
  const Vec part = x < 0.0f ? u + 2.0f : fma(u, broadcast(2.0f), broadcast(1.0f));
  const Vec rest = x < 0.0f ? fma(u, part, broadcast(2.0f)) : fma(u + u, u, part);
  const Vec quotient = part / rest;
  const Vec product = below * quotient;
  const Vec negative = scaled_below(fma(product, e.s, product), e);
  const Vec y = x < 0.0f ? negative : x * quotient;
  return x == -__builtin_inff() ? broadcast(__builtin_nanf("")) : y;
}

}  // namespace

void mish(const OpCall& call) noexcept {
  map_unary(call, scalar::mish, [](Vec x) { return mish_of(x); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
