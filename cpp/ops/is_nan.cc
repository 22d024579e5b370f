// IsNaN:  y = x is NaN
//
// ONNX IsNaN, opsets 13 to 24. x, y: any shape; x float32 or float64, y bool.
#include "ops/elementwise.h"

namespace slipway {

void infer_is_nan(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{}, DType::kBool);
}

std::shared_ptr<const void> prepare_is_nan(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void is_nan(const OpCall& call) noexcept {
  map_each<bool>(call, Floats{}, [](auto x) { return x != x; });
}

}  // namespace scalar
}  // namespace slipway
