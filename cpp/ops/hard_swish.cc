// HardSwish:  y = x * r, r = (x + 3) / 6 kept within [0, 1].
//
// ONNX HardSwish, opsets 14 to 24. x, y: any shape; float32 or float64. Minus infinity gives NaN, as the formula does.
#include <algorithm>

#include "ops/elementwise.h"

namespace slipway {

void infer_hard_swish(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_hard_swish(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void hard_swish(const OpCall& call) noexcept {
  // x + 3 is exact where it is small, x / 6 + 1 / 2 is not; and no product overflows.
  map_in_double(call, [](double x) { return x * (std::clamp(x + 3, 0.0, 6.0) / 6); });
}

}  // namespace scalar
}  // namespace slipway
