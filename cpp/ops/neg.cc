// Neg:  y = -x; the smallest integer stays itself.
//
// ONNX Neg, opsets 13 to 24. x, y: any shape; float32, float64, int64, int32 or int8.
#include <cmath>

#include "ops/elementwise.h"

namespace slipway {

void infer_neg(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, SignedNumbers{});
}

std::shared_ptr<const void> prepare_neg(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void neg(const OpCall& call) noexcept {
  map_each(call, SignedNumbers{}, [](auto x) {
    if constexpr (std::is_floating_point_v<decltype(x)>) return -x;
    return wrap_subtract(decltype(x){0}, x);
  });
}

}  // namespace scalar
}  // namespace slipway
