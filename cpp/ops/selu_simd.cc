// Selu of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"
#include "ops/prepared.h"
#include "simd/math.h"

namespace slipway {

namespace scalar {

void selu(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void selu(const OpCall& call) noexcept {
  const auto& attributes = call.as<SeluAttributes>();
  const Vec gamma = broadcast(attributes.gamma);
  const Vec below = broadcast(static_cast<float>(static_cast<double>(attributes.gamma) * attributes.alpha));
  map_unary(call, scalar::selu, [=](Vec x) { return x < 0.0f ? below * expm1_below(x) : gamma * x; });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
