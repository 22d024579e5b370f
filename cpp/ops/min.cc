// Min:  y = the smallest of the inputs; NaN where one of them is NaN.
//
// ONNX Min, opsets 13 to 24. One input or more, broadcast as in numpy; float32, float64, int64, int32, int8 or uint8.
#include "ops/extremum_rules.h"

namespace slipway {

void infer_min(InferContext& context) { infer_extremum(context); }

std::shared_ptr<const void> prepare_min(PrepareContext& context) { return prepare_extremum(context); }

namespace scalar {

void min(const OpCall& call) noexcept {
  fold_inputs(call, [](auto next, auto best) { return next < best; });
}

}  // namespace scalar
}  // namespace slipway
