// Shape rules shared by the element-wise operators.
#include "ops/elementwise.h"

namespace slipway {

void infer_broadcast(InferContext& context, int count, DType dtype) {
  Dims dims;
  for (int i = 0; i < count; ++i) {
    const Dims* next = context.dims(i);
    if (next == nullptr) return context.output_unknown(0, dtype);
    dims = i == 0 ? *next : broadcast(dims, *next);
  }
  context.output(0, dtype, std::move(dims));
}

void infer_arithmetic(InferContext& context) {
  if (context.opset() >= 14) return infer_binary(context, Numbers{});
  infer_binary(context, WideNumbers{});
}

}  // namespace slipway
