// Tanh:  y = tanh(x)
//
// ONNX Tanh, opsets 13 to 24. x, y: any shape; float32 or float64.
#include <cmath>

#include "ops/elementwise.h"

namespace slipway {

void infer_tanh(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_tanh(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void tanh(const OpCall& call) noexcept {
  map_in_double(call, [](double x) { return std::tanh(x); });
}

}  // namespace scalar
}  // namespace slipway
