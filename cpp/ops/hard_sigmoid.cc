// HardSigmoid:  y = alpha * x + beta, kept within [0, 1]; NaN for NaN.
//
// ONNX HardSigmoid, opsets 13 to 24. x, y: any shape; float32 or float64.
#include "ops/elementwise.h"
#include "ops/prepared.h"

namespace slipway {

void infer_hard_sigmoid(InferContext& context) {
  context.allow_attributes({"alpha", "beta"});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_hard_sigmoid(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const HardSigmoidAttributes>(
      HardSigmoidAttributes{context.get_float("alpha", 0.2F), context.get_float("beta", 0.5F)});
}

namespace scalar {

void hard_sigmoid(const OpCall& call) noexcept {
  const auto& attributes = call.as<HardSigmoidAttributes>();
  const double alpha = attributes.alpha;
  const double beta = attributes.beta;
  map_in_double(call, [=](double x) {
    const double line = alpha * x + beta;
    return line < 0 ? 0 : line > 1 ? 1 : line;
  });
}

}  // namespace scalar
}  // namespace slipway
