// IsInf:  y = x is infinite, counting only the signs that are asked for.
//
// ONNX IsInf, opsets 13 to 24. x, y: any shape; x float32 or float64, y bool.
#include <limits>

#include "ops/elementwise.h"
#include "ops/prepared.h"

namespace slipway {

void infer_is_inf(InferContext& context) {
  context.allow_attributes({"detect_negative", "detect_positive"});
  infer_unary(context, Floats{}, DType::kBool);
}

std::shared_ptr<const void> prepare_is_inf(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const IsInfAttributes>(
      IsInfAttributes{context.get_int("detect_negative", 1) != 0, context.get_int("detect_positive", 1) != 0});
}

namespace scalar {

void is_inf(const OpCall& call) noexcept {
  const auto attributes = call.as<IsInfAttributes>();
  map_each<bool>(call, Floats{}, [=](auto x) {
    constexpr auto kInfinity = std::numeric_limits<decltype(x)>::infinity();
    return (attributes.negative && x == -kInfinity) || (attributes.positive && x == kInfinity);
  });
}

}  // namespace scalar
}  // namespace slipway
