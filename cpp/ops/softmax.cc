// Softmax along one axis:  y_i = exp(x_i - m) / sum_j exp(x_j - m),  m = max_j x_j.
//
// ONNX Softmax 13 as in opsets 13 to 24. x, y: any shape but a scalar; float32, float64. A row that holds NaN or
// +infinity gives NaN, and so does a row of nothing but -infinity.
#include "ops/softmax_rules.h"

namespace slipway {

void infer_softmax(InferContext& context) { infer_along_axis(context); }

std::shared_ptr<const void> prepare_softmax(PrepareContext& context) { return prepare_along_axis(context); }

namespace scalar {

void softmax(const OpCall& call) noexcept {
  for_each_along_axis(call, [](double x, const ExpSum& sum) { return std::exp(x) / (sum.ones + sum.others); });
}

}  // namespace scalar
}  // namespace slipway
