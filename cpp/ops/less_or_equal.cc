// LessOrEqual:  y = a <= b
//
// ONNX LessOrEqual, opsets 13 to 24. a, b: broadcast as in numpy; float32, float64, int64, int32, int8 or uint8; y is
// bool.
#include "ops/elementwise.h"

namespace slipway {

void infer_less_or_equal(InferContext& context) { infer_binary(context, Numbers{}, DType::kBool); }

std::shared_ptr<const void> prepare_less_or_equal(PrepareContext& context) { return prepare_broadcast<2>(context); }

namespace scalar {

void less_or_equal(const OpCall& call) noexcept {
  compare(call, Numbers{}, [](auto a, auto b) { return a <= b; });
}

}  // namespace scalar
}  // namespace slipway
