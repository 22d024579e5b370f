// Sub:  y = a - b; integers wrap.
//
// ONNX Sub, opsets 13 to 24. a, b: broadcast as in numpy; float32, float64, int64, int32, int8 or uint8
// (8-bit integers since opset 14).
#include "ops/elementwise.h"

namespace slipway {

void infer_sub(InferContext& context) { infer_arithmetic(context); }

std::shared_ptr<const void> prepare_sub(PrepareContext& context) { return prepare_broadcast<2>(context); }

namespace scalar {

void sub(const OpCall& call) noexcept {
  map_binary(call, Numbers{}, [](auto a, auto b) { return wrap_subtract(a, b); });
}

}  // namespace scalar
}  // namespace slipway
