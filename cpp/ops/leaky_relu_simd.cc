// LeakyRelu of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void leaky_relu(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void leaky_relu(const OpCall& call) noexcept {
  const Vec alpha = broadcast(call.as<float>());
  map_unary(call, scalar::leaky_relu, [=](Vec x) { return x < 0.0f ? alpha * x : x; });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
