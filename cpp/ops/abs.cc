// Abs:  y = |x|; the smallest integer stays itself.
//
// ONNX Abs, opsets 13 to 24. x, y: any shape; float32, float64, int64, int32, int8 or uint8.
#include <cmath>

#include "ops/elementwise.h"

namespace slipway {

void infer_abs(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Numbers{});
}

std::shared_ptr<const void> prepare_abs(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void abs(const OpCall& call) noexcept {
  map_each(call, Numbers{}, [](auto x) {
    if constexpr (std::is_floating_point_v<decltype(x)>) return std::abs(x);
    return x < 0 ? wrap_subtract(decltype(x){0}, x) : x;
  });
}

}  // namespace scalar
}  // namespace slipway
