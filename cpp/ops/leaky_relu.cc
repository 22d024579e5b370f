// LeakyRelu:  y = x for x >= 0, alpha * x below; NaN for NaN.
//
// ONNX LeakyRelu, opsets 13 to 24. x, y: any shape; float32 or float64.
#include "ops/elementwise.h"

namespace slipway {

void infer_leaky_relu(InferContext& context) {
  context.allow_attributes({"alpha"});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_leaky_relu(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const float>(context.get_float("alpha", 0.01F));
}

namespace scalar {

void leaky_relu(const OpCall& call) noexcept {
  const float alpha = call.as<float>();
  map_each(call, Floats{}, [&](auto x) { return x < 0 ? static_cast<decltype(x)>(alpha) * x : x; });
}

}  // namespace scalar
}  // namespace slipway
