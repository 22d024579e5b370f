// ThresholdedRelu of float32; float64 stays with the scalar kernel.
#include "ops/elementwise_simd.h"

namespace slipway {

namespace scalar {

void thresholded_relu(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void thresholded_relu(const OpCall& call) noexcept {
  const Vec alpha = broadcast(call.as<float>());
  map_unary(call, scalar::thresholded_relu, [=](Vec x) { return x > alpha ? x : Vec{}; });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
