// Mish:  y = x * tanh(log(1 + exp(x)))
//
// ONNX Mish, opsets 18 to 24. x, y: any shape; float32 or float64. Minus infinity gives NaN, as the formula does.
#include "ops/mish.h"

#include "ops/elementwise.h"

namespace slipway {

void infer_mish(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_mish(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void mish(const OpCall& call) noexcept {
  map_in_double(call, [](double x) { return mish_of(x); });
}

}  // namespace scalar
}  // namespace slipway
