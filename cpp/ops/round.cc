// Round:  y = the nearest integer, the even one of two
//
// ONNX Round, opsets 13 to 24. x, y: any shape; float32 or float64.
#include <cmath>

#include "ops/elementwise.h"

namespace slipway {

void infer_round(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_round(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void round(const OpCall& call) noexcept {
  map_in_double(call, [](double x) { return std::nearbyint(x); });
}

}  // namespace scalar
}  // namespace slipway
