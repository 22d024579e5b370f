// Clip of float32; other types stay with the scalar kernel.
#include "ops/activation_simd.h"
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void clip(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void clip(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32) return scalar::clip(call);
  const float infinity = __builtin_inff();
  const ActivationCall clip{.kind = Activation::kClip,
                            .alpha = call.has_input(1) ? *call.inputs[1].as<float>() : -infinity,
                            .beta = call.has_input(2) ? *call.inputs[2].as<float>() : infinity};
  map_unary(call, scalar::clip, [=](Vec x) { return activate(clip, x); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
