// Cos:  y = cos(x), x in radians; NaN for infinities.
//
// ONNX Cos, opsets 13 to 24. x, y: any shape; float32 or float64.
#include <cmath>

#include "ops/elementwise.h"

namespace slipway {

void infer_cos(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_cos(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void cos(const OpCall& call) noexcept {
  map_in_double(call, [](double x) { return std::cos(x); });
}

}  // namespace scalar
}  // namespace slipway
