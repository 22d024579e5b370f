// HardSwish of float32; float64 stays with the scalar kernel.
#include "ops/activation_simd.h"
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void hard_swish(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void hard_swish(const OpCall& call) noexcept {
  map_unary(call, scalar::hard_swish, [](Vec x) { return activate({.kind = Activation::kHardSwish}, x); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
