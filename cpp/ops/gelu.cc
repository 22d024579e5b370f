// Gelu:  y = x * Phi(x), Phi being the normal distribution's cumulative function.
//
// ONNX Gelu, opsets 20 to 24. x, y: any shape; float32 or float64. `approximate` "none" or "tanh", the latter being
// y = x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))). Minus infinity gives NaN, as the formulas do.
#include <cmath>
#include <numbers>

#include "ops/elementwise.h"
#include "ops/prepared.h"

namespace slipway {

void infer_gelu(InferContext& context) {
  context.allow_attributes({"approximate"});
  const std::string approximate = context.get_string("approximate", "none");
  if (approximate != "none" && approximate != "tanh") {
    context.reject("approximate is ", quote(approximate), ", expected \"none\" or \"tanh\"");
  }
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_gelu(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const GeluAttributes>(GeluAttributes{context.get_string("approximate", "none") == "tanh"});
}

namespace scalar {

// Both forms avoid 1 + (a value near -1), which would lose the digits of the negative tail.
void gelu(const OpCall& call) noexcept {
  if (call.as<GeluAttributes>().use_tanh) {
    constexpr double kTwiceSlope = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    map_in_double(call, [](double x) { return x / (1 + std::exp(-kTwiceSlope * (x + 0.044715 * x * x * x))); });
  } else {
    map_in_double(call, [](double x) { return x / 2 * std::erfc(-x / std::numbers::sqrt2); });
  }
}

}  // namespace scalar
}  // namespace slipway
