// Sign:  y = -1, 0 or 1, the sign of x; 0 for both zeros, NaN for NaN.
//
// ONNX Sign, opsets 13 to 24. x, y: any shape; float32, float64, int64, int32, int8 or uint8.
#include "ops/elementwise.h"

namespace slipway {

void infer_sign(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Numbers{});
}

std::shared_ptr<const void> prepare_sign(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void sign(const OpCall& call) noexcept {
  map_each(call, Numbers{}, [](auto x) {
    if (x != x) return x;
    return static_cast<decltype(x)>((x > 0) - (x < 0));
  });
}

}  // namespace scalar
}  // namespace slipway
