// Sqrt of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void sqrt(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void sqrt(const OpCall& call) noexcept {
  map_unary(call, scalar::sqrt, [](Vec x) { return sqrt(x); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
