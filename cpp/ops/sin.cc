// Sin:  y = sin(x), x in radians; NaN for infinities.
//
// ONNX Sin, opsets 13 to 24. x, y: any shape; float32 or float64.
#include <cmath>

#include "ops/elementwise.h"

namespace slipway {

void infer_sin(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_sin(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void sin(const OpCall& call) noexcept {
  map_in_double(call, [](double x) { return std::sin(x); });
}

}  // namespace scalar
}  // namespace slipway
