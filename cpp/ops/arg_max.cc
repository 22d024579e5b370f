// ArgMax:  y = the place of the largest x along an axis; of equals the first, or the last with `select_last_index` 1.
//
// ONNX ArgMax, opsets 13 to 24. x: numbers, rank 1 or more; y: int64. NaN wins over every number, as in numpy.
#include "ops/arg_extremum.h"

namespace slipway {

void infer_arg_max(InferContext& context) { infer_arg_extremum(context); }

std::shared_ptr<const void> prepare_arg_max(PrepareContext& context) { return prepare_arg_extremum(context); }

namespace scalar {

void arg_max(const OpCall& call) noexcept {
  arg_extremum(call, [](auto next, auto held) { return next > held; });
}

}  // namespace scalar
}  // namespace slipway
