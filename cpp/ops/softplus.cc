// Softplus:  y = log(1 + exp(x))
//
// ONNX Softplus, opsets 13 to 24. x, y: any shape; float32 or float64.
#include <cmath>

#include "ops/elementwise.h"

namespace slipway {

void infer_softplus(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_softplus(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void softplus(const OpCall& call) noexcept {
  // The larger part is taken out, so that exp never overflows.
  map_in_double(call, [](double x) { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(x))); });
}

}  // namespace scalar
}  // namespace slipway
