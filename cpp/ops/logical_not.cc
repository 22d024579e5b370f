// Not:  y = not x
//
// ONNX Not, opsets 13 to 24. x, y: any shape; bool.
#include "ops/elementwise.h"

namespace slipway {

void infer_logical_not(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Types<bool>{});
}

std::shared_ptr<const void> prepare_logical_not(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void logical_not(const OpCall& call) noexcept {
  const auto* x = call.inputs[0].as<uint8_t>();
  const int64_t count = call.inputs[0].shape.count();
  std::transform(x, x + count, call.outputs[0].as<uint8_t>(), [](uint8_t value) { return value == 0; });
}

}  // namespace scalar
}  // namespace slipway
