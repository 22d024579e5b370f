// Mul of float32; other types stay with the scalar kernel.
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void mul(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void mul(const OpCall& call) noexcept {
  map_binary(call, scalar::mul, [](Vec a, Vec b) { return a * b; });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
