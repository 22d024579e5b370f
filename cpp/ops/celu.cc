// Celu:  y = x for x >= 0, alpha * (exp(x / alpha) - 1) below; NaN for NaN.
//
// ONNX Celu, opsets 13 to 24. x, y: any shape; float32. An `alpha` of 0 is refused.
#include <cmath>

#include "ops/elementwise.h"

namespace slipway {

void infer_celu(InferContext& context) {
  context.allow_attributes({"alpha"});
  if (context.get_float("alpha", 1.0F) == 0) context.reject("alpha is 0, expected another number");
  infer_unary(context, Types<float>{});
}

std::shared_ptr<const void> prepare_celu(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const float>(context.get_float("alpha", 1.0F));
}

namespace scalar {

void celu(const OpCall& call) noexcept {
  const double alpha = call.as<float>();
  map_each(call, Types<float>{}, [=](double x) { return x < 0 ? alpha * std::expm1(x / alpha) : x; });
}

}  // namespace scalar
}  // namespace slipway
