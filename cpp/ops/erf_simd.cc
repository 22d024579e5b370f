// Erf of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"
#include "simd/math.h"

namespace slipway {

namespace scalar {

void erf(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void erf(const OpCall& call) noexcept {
  map_unary(call, scalar::erf, [](Vec x) { return erf(x); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
