// ReduceL2:  y = square root of the sum of x^2; 0 of nothing.
//
// ONNX ReduceL2, opsets 13 to 24 (`axes` an attribute before 18, an input since). x: float32 or float64; reduced axes
// are kept with size 1 unless `keepdims` is 0.
#include <cmath>

#include "ops/reduce.h"

namespace slipway {

void infer_reduce_l2(InferContext& context) { infer_reduce(context, Floats{}); }

std::shared_ptr<const void> prepare_reduce_l2(PrepareContext& context) { return prepare_reduce(context); }

namespace scalar {

void reduce_l2(const OpCall& call) noexcept {
  reduce_sum_of(call, Floats{}, [](auto x) { return x * x; }, [](auto sum, int64_t) { return std::sqrt(sum); });
}

}  // namespace scalar
}  // namespace slipway
