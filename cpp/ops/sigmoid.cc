// Sigmoid:  y = 1 / (1 + exp(-x))
//
// ONNX Sigmoid, opsets 13 to 24. x, y: any shape; float32 or float64.
#include <cmath>

#include "ops/elementwise.h"

namespace slipway {

void infer_sigmoid(InferContext& context) {
  context.allow_attributes({});
  infer_unary(context, Floats{});
}

std::shared_ptr<const void> prepare_sigmoid(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void sigmoid(const OpCall& call) noexcept {
  // Two forms, so that exp never overflows and small results keep their digits.
  map_in_double(call, [](double x) {
    const double e = std::exp(-std::abs(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
  });
}

}  // namespace scalar
}  // namespace slipway
