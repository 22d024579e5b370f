// LogSoftmax along one axis:  y_i = x_i - m - log sum_j exp(x_j - m),  m = max_j x_j.
//
// ONNX LogSoftmax 13 as in opsets 13 to 24. x, y: any shape but a scalar; float32, float64. A row that holds NaN or
// +infinity gives NaN, and so does a row of nothing but -infinity.
#include "ops/softmax_rules.h"

namespace slipway {

void infer_log_softmax(InferContext& context) { infer_along_axis(context); }

std::shared_ptr<const void> prepare_log_softmax(PrepareContext& context) { return prepare_along_axis(context); }

namespace scalar {

void log_softmax(const OpCall& call) noexcept {
  for_each_along_axis(call, [](double x, const ExpSum& sum) { return x - std::log1p(sum.others + (sum.ones - 1.0)); });
}

}  // namespace scalar
}  // namespace slipway
