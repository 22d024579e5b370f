// Equal:  y = a == b
//
// ONNX Equal, opsets 13 to 24. a, b: broadcast as in numpy; any type; y is bool.
#include "ops/elementwise.h"

namespace slipway {

void infer_equal(InferContext& context) { infer_binary(context, AnyType{}, DType::kBool); }

std::shared_ptr<const void> prepare_equal(PrepareContext& context) { return prepare_broadcast<2>(context); }

namespace scalar {

void equal(const OpCall& call) noexcept {
  if (call.inputs[0].dtype == DType::kBool) return map_logical(call, [](bool a, bool b) { return a == b; });
  compare(call, Numbers{}, [](auto a, auto b) { return a == b; });
}

}  // namespace scalar
}  // namespace slipway
