// Ceil of float32; other types stay with the scalar kernel.
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void ceil(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void ceil(const OpCall& call) noexcept {
  map_unary(call, scalar::ceil, [](Vec x) { return -floor(-x); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
