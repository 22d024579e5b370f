// Size:  y = the number of elements of x.
//
// ONNX Size, opsets 13 to 24. x: any shape and type; y: int64, a scalar. Known when the model is loaded, where x's
// sizes are.
#include "ops/shapes.h"

namespace slipway {

void infer_size(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(1, 1, 1, 1);
  context.output(0, DType::kInt64, {});
  const Dims* dims = context.dims(0);
  if (dims == nullptr) return;
  const Dim count = product_of(*dims);
  if (!count.is_known()) return;
  auto size = std::make_shared<Tensor>(DType::kInt64, Shape{});
  *size->as<int64_t>() = count.value();
  context.outputs()[0].constant = std::move(size);
}

std::shared_ptr<const void> prepare_size(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void size(const OpCall& call) noexcept { *call.outputs[0].as<int64_t>() = call.inputs[0].shape.count(); }

}  // namespace scalar
}  // namespace slipway
