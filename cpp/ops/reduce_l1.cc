// ReduceL1:  y = sum of |x|; integers wrap, 0 of nothing.
//
// ONNX ReduceL1, opsets 13 to 24 (`axes` an attribute before 18, an input since). x: float32, float64, int64 or int32;
// reduced axes are kept with size 1 unless `keepdims` is 0.
#include "ops/reduce.h"

namespace slipway {

void infer_reduce_l1(InferContext& context) { infer_reduce(context, WideNumbers{}); }

std::shared_ptr<const void> prepare_reduce_l1(PrepareContext& context) { return prepare_reduce(context); }

namespace scalar {

void reduce_l1(const OpCall& call) noexcept {
  reduce_sum_of(call, WideNumbers{}, [](auto x) { return x < 0 ? wrap_subtract(decltype(x){0}, x) : x; }, kSumItself);
}

}  // namespace scalar
}  // namespace slipway
