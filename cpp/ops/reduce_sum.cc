// ReduceSum:  y = sum of x; integers wrap, 0 of nothing.
//
// ONNX ReduceSum, opsets 13 to 24 (`axes` an input). x: float32, float64, int64 or int32; reduced axes are kept
// with size 1 unless `keepdims` is 0.
#include "ops/reduce.h"

namespace slipway {

void infer_reduce_sum(InferContext& context) { infer_reduce(context, WideNumbers{}, {.input_since = 13}); }

std::shared_ptr<const void> prepare_reduce_sum(PrepareContext& context) { return prepare_reduce(context); }

namespace scalar {

void reduce_sum(const OpCall& call) noexcept {
  reduce_sum_of(call, WideNumbers{}, [](auto x) { return x; }, kSumItself);
}

}  // namespace scalar
}  // namespace slipway
