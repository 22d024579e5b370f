// ReduceMax:  y = the largest x; NaN where there is one; of nothing, the smallest value of the type, minus infinity for
// floating point.
//
// ONNX ReduceMax, opsets 13 to 24 (`axes` an attribute before 18, an input since). x: any number, or bool since opset
// 20; reduced axes are kept with size 1 unless `keepdims` is 0.
#include "ops/reduce.h"

namespace slipway {

void infer_reduce_max(InferContext& context) {
  if (context.opset() >= 20) return infer_reduce(context, AnyType{});
  infer_reduce(context, Numbers{});
}

std::shared_ptr<const void> prepare_reduce_max(PrepareContext& context) { return prepare_reduce(context); }

namespace scalar {

void reduce_max(const OpCall& call) noexcept {
  if (call.inputs[0].dtype == DType::kBool) {
    return reduce_as<uint8_t>(call, false, [](bool best, uint8_t x) { return best || x != 0; }, kSumItself);
  }
  reduce_extremum(call, true, [](auto x, auto best) { return x > best; });
}

}  // namespace scalar
}  // namespace slipway
