// Floor of float32; other types stay with the scalar kernel.
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void floor(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void floor(const OpCall& call) noexcept {
  map_unary(call, scalar::floor, [](Vec x) { return floor(x); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
