// Sub of float32; other types stay with the scalar kernel.
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void sub(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void sub(const OpCall& call) noexcept {
  map_binary(call, scalar::sub, [](Vec a, Vec b) { return a - b; });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
