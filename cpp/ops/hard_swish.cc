// HardSwish:  y = x * r, r = (x + 3) / 6 kept within [0, 1].
//
// ONNX HardSwish, opsets 14 to 24. x, y: any shape; float32 or float64. Minus infinity gives NaN, as the formula does.
#include "ops/activation_meaning.h"
#include "ops/elementwise.h"

namespace slipway {

void infer_hard_swish(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_hard_swish(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void hard_swish(const OpCall& call) noexcept {
  map_in_double(call, [](double x) { return activate({.kind = Activation::kHardSwish}, x); });
}

}  // namespace scalar
}  // namespace slipway
