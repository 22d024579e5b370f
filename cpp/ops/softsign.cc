// Softsign:  y = x / (1 + |x|)
//
// ONNX Softsign, opsets 13 to 24. x, y: any shape; float32 or float64. Infinities give NaN, as the formula does.
#include <cmath>

#include "ops/elementwise.h"

namespace slipway {

void infer_softsign(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_softsign(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void softsign(const OpCall& call) noexcept {
  map_in_double(call, [](double x) { return x / (1 + std::abs(x)); });
}

}  // namespace scalar
}  // namespace slipway
