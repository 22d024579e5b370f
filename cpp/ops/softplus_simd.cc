// Softplus of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"
#include "simd/math.h"

namespace slipway {

namespace scalar {

void softplus(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

namespace {

/// max(x, 0) + log(1 + u), u = e^-|x|. As in log(), 1 + u is 2^k (1 + f); f is u itself where k is 0.
[[gnu::always_inline]] inline Vec softplus_of(Vec x) noexcept {
  const Vec u = exp_below(minus_abs(x));
  const VecInt is_large = u > 0.41421357f;
  const Vec f = is_large ? (u - 1.0f) * 0.5f : u;
  const Vec k = is_large ? broadcast(1.0f) : Vec{};
  return fma(k, broadcast(kLogTwo), log1p_near(f, k * kLogTwoRest)) + (x > 0.0f ? x : Vec{});
}

}  // namespace

void softplus(const OpCall& call) noexcept {
  map_unary(call, scalar::softplus, [](Vec x) { return softplus_of(x); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
