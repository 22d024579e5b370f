// Clip of float32; other types stay with the scalar kernel.
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void clip(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void clip(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32) return scalar::clip(call);
  const float infinity = __builtin_inff();
  const Vec low = broadcast(call.has_input(1) ? *call.inputs[1].as<float>() : -infinity);
  const Vec high = broadcast(call.has_input(2) ? *call.inputs[2].as<float>() : infinity);
  map_unary(call, scalar::clip, [=](Vec x) { return min(max(x, low), high); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
