// Selu:  y = gamma * x for x >= 0, gamma * alpha * (exp(x) - 1) below.
//
// ONNX Selu, opsets 13 to 24. x, y: any shape; float32 or float64.
#include <cmath>

#include "ops/elementwise.h"
#include "ops/prepared.h"

namespace slipway {

void infer_selu(InferContext& context) {
  context.allow_attributes({"alpha", "gamma"});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_selu(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const SeluAttributes>(SeluAttributes{context.get_float("alpha", 1.67326319217681884765625F),
                                                               context.get_float("gamma", 1.05070102214813232421875F)});
}

namespace scalar {

void selu(const OpCall& call) noexcept {
  const auto& attributes = call.as<SeluAttributes>();
  const double alpha = attributes.alpha;
  const double gamma = attributes.gamma;
  map_in_double(call, [=](double x) { return gamma * (x < 0 ? alpha * std::expm1(x) : x); });
}

}  // namespace scalar
}  // namespace slipway
