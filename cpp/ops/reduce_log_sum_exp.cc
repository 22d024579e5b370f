// ReduceLogSumExp:  y = log(sum of exp(x)); minus infinity of nothing.
//
// ONNX ReduceLogSumExp, opsets 13 to 24 (`axes` an attribute before 18, an input since). x: float32 or float64; reduced
// axes are kept with size 1 unless `keepdims` is 0.
#include <cmath>

#include "ops/reduce.h"

namespace slipway {

void infer_reduce_log_sum_exp(InferContext& context) { infer_reduce(context, Floats{}); }

std::shared_ptr<const void> prepare_reduce_log_sum_exp(PrepareContext& context) { return prepare_reduce(context); }

namespace scalar {

void reduce_log_sum_exp(const OpCall& call) noexcept {
  // The largest x is taken out, so that exp never overflows: log(sum) = m + log(sum of exp(x - m)). `scaled` is kept
  // relative to the largest so far, and rescaled when that grows.
  struct Sum {
    double largest = -std::numeric_limits<double>::infinity();
    double scaled = 0;
  };
  const auto fold = [](Sum sum, double x) -> Sum {
    if (std::isnan(x) || std::isnan(sum.largest)) return {std::numeric_limits<double>::quiet_NaN(), 0};
    if (x == sum.largest) return {x, sum.scaled + 1};
    if (x > sum.largest) return {x, sum.scaled * std::exp(sum.largest - x) + 1};
    return {sum.largest, sum.scaled + std::exp(x - sum.largest)};
  };
  const auto finish = [](const Sum& sum, int64_t) {
    return sum.scaled > 0 ? sum.largest + std::log(sum.scaled) : sum.largest;
  };
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() { reduce_as<T>(call, Sum{}, fold, finish); });
}

}  // namespace scalar
}  // namespace slipway
