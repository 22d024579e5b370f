// Log:  y = log(x); NaN below 0, minus infinity at 0.
//
// ONNX Log, opsets 13 to 24. x, y: any shape; float32 or float64.
#include <cmath>

#include "ops/elementwise.h"

namespace slipway {

void infer_log(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_log(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void log(const OpCall& call) noexcept {
  map_in_double(call, [](double x) { return std::log(x); });
}

}  // namespace scalar
}  // namespace slipway
