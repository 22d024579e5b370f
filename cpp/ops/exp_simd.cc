// Exp of float32; float64 stays with the scalar kernel.
#include "ops/call.h"
#include "simd/map.h"
#include "simd/math.h"

namespace slipway {

namespace scalar {

void exp(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void exp(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32) return scalar::exp(call);
  const TensorView& x = call.inputs[0];
  map(call.pool, x.as<float>(), call.outputs[0].as<float>(), x.shape.count(), [](auto v) { return exp(v); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
