// Sqrt:  y = sqrt(x); NaN below 0.
//
// ONNX Sqrt, opsets 13 to 24. x, y: any shape; float32 or float64.
#include <cmath>

#include "ops/elementwise.h"

namespace slipway {

void infer_sqrt(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_sqrt(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void sqrt(const OpCall& call) noexcept {
  map_each(call, Floats{}, [](auto x) { return std::sqrt(x); });
}

}  // namespace scalar
}  // namespace slipway
