// Erf:  y = erf(x) = 2 / sqrt(pi) * integral of exp(-t^2) for t from 0 to x.
//
// ONNX Erf, opsets 13 to 24. x, y: any shape; float32 or float64.
#include <cmath>

#include "ops/elementwise.h"

namespace slipway {

void infer_erf(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_erf(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void erf(const OpCall& call) noexcept {
  map_in_double(call, [](double x) { return std::erf(x); });
}

}  // namespace scalar
}  // namespace slipway
