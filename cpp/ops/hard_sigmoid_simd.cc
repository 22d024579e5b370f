// HardSigmoid of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"
#include "ops/prepared.h"

namespace slipway {

namespace scalar {

void hard_sigmoid(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void hard_sigmoid(const OpCall& call) noexcept {
#if defined(__x86_64__) && !defined(__FMA__)
  scalar::hard_sigmoid(call);  // two roundings leave few digits where the line crosses zero
#else
  const auto& attributes = call.as<HardSigmoidAttributes>();
  const Vec alpha = broadcast(attributes.alpha);
  const Vec beta = broadcast(attributes.beta);
  map_unary(call, scalar::hard_sigmoid, [=](Vec x) { return min(max(fma(alpha, x, beta), Vec{}), broadcast(1.0f)); });
#endif
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
