// ReduceProd:  y = product of x; integers wrap, 1 of nothing.
//
// ONNX ReduceProd, opsets 13 to 24 (`axes` an attribute before 18, an input since). x: float32, float64, int64 or
// int32; reduced axes are kept with size 1 unless `keepdims` is 0.
#include "ops/reduce.h"

namespace slipway {

void infer_reduce_prod(InferContext& context) { infer_reduce(context, WideNumbers{}); }

std::shared_ptr<const void> prepare_reduce_prod(PrepareContext& context) { return prepare_reduce(context); }

namespace scalar {

void reduce_prod(const OpCall& call) noexcept {
  dispatch(WideNumbers{}, call.inputs[0].dtype, [&]<typename T>() {
    using Product = SumOf<T>;
    const auto fold = [](Product product, T x) { return wrap_multiply(product, static_cast<Product>(x)); };
    reduce_as<T>(call, Product{1}, fold, kSumItself);
  });
}

}  // namespace scalar
}  // namespace slipway
