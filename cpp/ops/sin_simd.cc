// Sin of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"
#include "simd/trigonometry.h"

namespace slipway {

namespace scalar {

void sin(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void sin(const OpCall& call) noexcept {
  map_unary(call, scalar::sin, [](Vec x) { return sin(x); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
