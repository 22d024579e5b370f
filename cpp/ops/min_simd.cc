// Min of float32; other types stay with the scalar kernel.
#include "ops/extremum_simd.h"

namespace slipway {

namespace scalar {

void min(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void min(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32) return scalar::min(call);
  fold_inputs(call, [](Vec best, Vec x) { return min(best, x); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
