// ThresholdedRelu:  y = x for x > alpha, else 0; 0 for NaN.
//
// ONNX ThresholdedRelu, opsets 13 to 24. x, y: any shape; float32 or float64.
#include "ops/elementwise.h"

namespace slipway {

void infer_thresholded_relu(InferContext& context) {
  context.allow_attributes({"alpha"});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_thresholded_relu(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const float>(context.get_float("alpha", 1.0F));
}

namespace scalar {

void thresholded_relu(const OpCall& call) noexcept {
  const double alpha = call.as<float>();
  map_in_double(call, [=](double x) { return x > alpha ? x : 0; });
}

}  // namespace scalar
}  // namespace slipway
