// Elu of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"
#include "ops/prepared.h"
#include "simd/math.h"

namespace slipway {

namespace scalar {

void elu(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void elu(const OpCall& call) noexcept {
  const Vec alpha = broadcast(call.as<EluAttributes>().alpha);
  map_unary(call, scalar::elu, [=](Vec x) { return x < 0.0f ? alpha * expm1_below(x) : x; });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
