// Log of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"
#include "simd/math.h"

namespace slipway {

namespace scalar {

void log(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void log(const OpCall& call) noexcept {
  map_unary(call, scalar::log, [](Vec x) { return log(x); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
