// ConstantOfShape:  y of the given shape, every element being `value`.
//
// ONNX ConstantOfShape, opsets 13 to 24. shape: int64 list of sizes; `value`: a tensor of one element of any type,
// float32 0 where it is absent.
#include "ops/shapes.h"

namespace slipway {

void infer_constant_of_shape(InferContext& context) {
  context.allow_attributes({"value"});
  context.require_counts(1, 1, 1, 1);
  context.require_dtype(0, {DType::kInt64});
  context.require_rank(0, 1, 1);
  const auto value = context.get_tensor("value");
  if (value != nullptr && value->shape().count() != 1) {
    context.reject("value has shape ", value->shape().text(), ", expected one element");
  }
  const DType dtype = value != nullptr ? value->dtype() : DType::kFloat32;
  const auto shape = context.ints(0);
  if (!shape) return context.output_unknown(0, dtype);
  Dims y;
  for (const int64_t size : *shape) {
    if (size < 0) context.reject("shape holds ", size, ", expected 0 or more");
    y.emplace_back(size);
  }
  context.output(0, dtype, std::move(y));
}

std::shared_ptr<const void> prepare_constant_of_shape(PrepareContext& context) {
  (void)prepare_nothing(context);
  const auto value = context.get_tensor("value");
  if (value != nullptr) return value;
  const auto zero = std::make_shared<Tensor>(DType::kFloat32, Shape{});
  *zero->as<float>() = 0;
  return zero;
}

namespace scalar {

void constant_of_shape(const OpCall& call) noexcept {
  const auto& value = call.as<Tensor>();
  dispatch_storage(call.outputs[0].dtype, [&]<typename T>() {
    std::fill_n(call.outputs[0].as<T>(), call.outputs[0].shape.count(), *value.as<T>());
  });
}

}  // namespace scalar
}  // namespace slipway
