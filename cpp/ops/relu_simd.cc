// Relu of float32; other types stay with the scalar kernel.
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void relu(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void relu(const OpCall& call) noexcept {
  map_unary(call, scalar::relu, [](Vec x) { return max(x, broadcast(0.0f)); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
