// PRelu of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void prelu(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void prelu(const OpCall& call) noexcept {
  map_binary(call, scalar::prelu, [](Vec x, Vec slope) { return x < 0.0f ? slope * x : x; });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
