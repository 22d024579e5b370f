// Gelu of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"
#include "ops/prepared.h"
#include "simd/math.h"

namespace slipway {

namespace scalar {

void gelu(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

namespace {

/// x Phi(x); below zero Phi has the digits of the tail. The sign comes last: of two NaNs with different ones a product
/// may be either.
[[gnu::always_inline]] inline Vec by_erf(Vec x) noexcept {
  const Vec size = abs(x);
  const Vec tail = erfc_above(size * 0.70710678f) * 0.5f;
  return with_sign_of(x, size * (x < 0.0f ? tail : 1.0f - tail));
}

/// The scalar kernel's form.
template <typename V>
[[gnu::always_inline]] inline V by_tanh(V x) noexcept {
  constexpr float kTwiceSlope = 1.5957691f;  // 2 sqrt(2 / pi)
  return x * sigmoid(broadcast(kTwiceSlope) * fma(x * x * x, broadcast(0.044715f), x));
}

}  // namespace

void gelu(const OpCall& call) noexcept {
  if (call.as<GeluAttributes>().use_tanh) {
    map_unary(call, scalar::gelu, [](auto x) { return by_tanh(x); });
  } else {
    map_unary(call, scalar::gelu, [](Vec x) { return by_erf(x); });
  }
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
