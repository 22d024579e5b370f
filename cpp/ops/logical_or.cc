// Or:  y = a or b
//
// ONNX Or, opsets 13 to 24. a, b: broadcast as in numpy; bool.
#include "ops/elementwise.h"

namespace slipway {

void infer_logical_or(InferContext& context) { infer_binary(context, Types<bool>{}, DType::kBool); }

std::shared_ptr<const void> prepare_logical_or(PrepareContext& context) { return prepare_broadcast<2>(context); }

namespace scalar {

void logical_or(const OpCall& call) noexcept {
  map_logical(call, [](bool a, bool b) { return a || b; });
}

}  // namespace scalar
}  // namespace slipway
