// HardSwish of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void hard_swish(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void hard_swish(const OpCall& call) noexcept {
  const Vec zero = broadcast(0.0f);
  const Vec six = broadcast(6.0f);
  map_unary(call, scalar::hard_swish, [=](Vec x) { return x * (min(max(x + 3.0f, zero), six) * (1.0f / 6.0f)); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
