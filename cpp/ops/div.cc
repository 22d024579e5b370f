// Div:  y = a / b; integers truncate, and wrap at the smallest integer / -1.
//
// ONNX Div, opsets 13 to 24. a, b: broadcast as in numpy; float32, float64, int64, int32, int8 or uint8
// (8-bit integers since opset 14). An integer
// divisor of 0 is a fault.
#include "ops/elementwise.h"

namespace slipway {

void infer_div(InferContext& context) { infer_arithmetic(context); }

std::shared_ptr<const void> prepare_div(PrepareContext& context) { return prepare_broadcast<2>(context); }

namespace scalar {

void div(const OpCall& call) noexcept {
  map_binary(call, Numbers{}, [&](auto a, auto b) {
    using T = decltype(a);
    if constexpr (std::is_floating_point_v<T>) {
      return a / b;
    } else {
      if (b == 0) return report_zero_divisor<T>(call);
      if constexpr (std::is_signed_v<T>) {
        if (b == -1) return wrap_subtract(T{0}, a);
      }
      return static_cast<T>(a / b);
    }
  });
}

}  // namespace scalar
}  // namespace slipway
