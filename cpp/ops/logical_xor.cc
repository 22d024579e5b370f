// Xor:  y = a xor b
//
// ONNX Xor, opsets 13 to 24. a, b: broadcast as in numpy; bool.
#include "ops/elementwise.h"

namespace slipway {

void infer_logical_xor(InferContext& context) { infer_binary(context, Types<bool>{}, DType::kBool); }

std::shared_ptr<const void> prepare_logical_xor(PrepareContext& context) { return prepare_broadcast<2>(context); }

namespace scalar {

void logical_xor(const OpCall& call) noexcept {
  map_logical(call, [](bool a, bool b) { return a != b; });
}

}  // namespace scalar
}  // namespace slipway
