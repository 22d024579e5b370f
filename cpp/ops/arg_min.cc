// ArgMin:  y = the place of the smallest x along an axis; of equals the first, or the last with `select_last_index` 1.
//
// ONNX ArgMin, opsets 13 to 24. x: numbers, rank 1 or more; y: int64. NaN wins over every number, as in numpy.
#include "ops/arg_extremum.h"

namespace slipway {

void infer_arg_min(InferContext& context) { infer_arg_extremum(context); }

std::shared_ptr<const void> prepare_arg_min(PrepareContext& context) { return prepare_arg_extremum(context); }

namespace scalar {

void arg_min(const OpCall& call) noexcept {
  arg_extremum(call, [](auto next, auto held) { return next < held; });
}

}  // namespace scalar
}  // namespace slipway
