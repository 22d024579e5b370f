// Softsign of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void softsign(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void softsign(const OpCall& call) noexcept {
  map_unary(call, scalar::softsign, [](Vec x) { return x / (abs(x) + 1.0f); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
