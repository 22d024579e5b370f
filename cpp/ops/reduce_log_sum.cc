// ReduceLogSum:  y = log(sum of x); minus infinity of nothing.
//
// ONNX ReduceLogSum, opsets 13 to 24 (`axes` an attribute before 18, an input since). x: float32 or float64; reduced
// axes are kept with size 1 unless `keepdims` is 0.
#include <cmath>

#include "ops/reduce.h"

namespace slipway {

void infer_reduce_log_sum(InferContext& context) { infer_reduce(context, Floats{}); }

std::shared_ptr<const void> prepare_reduce_log_sum(PrepareContext& context) { return prepare_reduce(context); }

namespace scalar {

void reduce_log_sum(const OpCall& call) noexcept {
  reduce_sum_of(call, Floats{}, [](auto x) { return x; }, [](auto sum, int64_t) { return std::log(sum); });
}

}  // namespace scalar
}  // namespace slipway
