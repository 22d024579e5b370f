// Floor:  y = the largest integer <= x
//
// ONNX Floor, opsets 13 to 24. x, y: any shape; float32 or float64.
#include <cmath>

#include "ops/elementwise.h"

namespace slipway {

void infer_floor(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_floor(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void floor(const OpCall& call) noexcept {
  map_in_double(call, [](double x) { return std::floor(x); });
}

}  // namespace scalar
}  // namespace slipway
