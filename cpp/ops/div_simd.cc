// Div of float32; other types stay with the scalar kernel.
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void div(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void div(const OpCall& call) noexcept {
  map_binary(call, scalar::div, [](Vec a, Vec b) { return a / b; });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
