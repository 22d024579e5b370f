// Relu:  y = max(x, 0), and NaN for NaN.
//
// ONNX Relu, opsets 13 to 24. x, y: any shape; float32, float64, int8, int32, int64.
#include "ops/op.h"

namespace slipway {

void infer_relu(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(1, 1, 1, 1);
  context.require_dtype(0, {DType::kFloat32, DType::kFloat64, DType::kInt8, DType::kInt32, DType::kInt64});
  context.outputs()[0] = context.input(0);
  context.outputs()[0].constant.reset();
}

std::shared_ptr<const void> prepare_relu(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

namespace {

template <typename T>
void rectify(const OpCall& call) noexcept {
  const auto x = call.inputs[0].span<T>();
  T* y = call.outputs[0].as<T>();
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] < T{0} ? T{0} : x[i];
}

}  // namespace

void relu(const OpCall& call) noexcept {
  switch (call.inputs[0].dtype) {
    case DType::kFloat32:
      return rectify<float>(call);
    case DType::kFloat64:
      return rectify<double>(call);
    case DType::kInt8:
      return rectify<int8_t>(call);
    case DType::kInt32:
      return rectify<int32_t>(call);
    default:
      return rectify<int64_t>(call);
  }
}

}  // namespace scalar
}  // namespace slipway
