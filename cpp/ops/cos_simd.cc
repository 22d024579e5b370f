// Cos of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"
#include "simd/trigonometry.h"

namespace slipway {

namespace scalar {

void cos(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void cos(const OpCall& call) noexcept {
  map_unary(call, scalar::cos, [](Vec x) { return cos(x); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
