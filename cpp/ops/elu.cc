// Elu:  y = x for x >= 0, alpha * (exp(x) - 1) below.
//
// ONNX Elu, opsets 13 to 24. x, y: any shape; float32 or float64.
#include <cmath>

#include "ops/elementwise.h"
#include "ops/prepared.h"

namespace slipway {

void infer_elu(InferContext& context) {
  context.allow_attributes({"alpha"});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_elu(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const EluAttributes>(EluAttributes{context.get_float("alpha", 1.0F)});
}

namespace scalar {

void elu(const OpCall& call) noexcept {
  const auto& attributes = call.as<EluAttributes>();
  const double alpha = attributes.alpha;
  map_in_double(call, [=](double x) { return x < 0 ? alpha * std::expm1(x) : x; });
}

}  // namespace scalar
}  // namespace slipway
