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

// Where no digits behind the point fit beside a number, the sum is rounded to a whole one; larger x are whole already.
void round(const OpCall& call) noexcept {
  map_each(call, Floats{}, []<typename T>(T x) {
    constexpr T kWhole = 1 / std::numeric_limits<T>::epsilon();
    const T size = std::fabs(x);
    const T shift = size < kWhole ? kWhole : T{0};
    return std::copysign((size + shift) - shift, x);
  });
}

}  // namespace scalar
}  // namespace slipway
