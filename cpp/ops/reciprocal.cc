// Reciprocal:  y = 1 / x
//
// ONNX Reciprocal, opsets 13 to 24. x, y: any shape; float32 or float64.
#include "ops/elementwise.h"

namespace slipway {

void infer_reciprocal(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_reciprocal(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void reciprocal(const OpCall& call) noexcept {
  map_each(call, Floats{}, [](auto x) { return 1 / x; });
}

}  // namespace scalar
}  // namespace slipway
