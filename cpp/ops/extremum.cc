// Max and Min: what both share before running.
#include "ops/extremum.h"

#include <limits>

namespace slipway {

void infer_extremum(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(1, std::numeric_limits<int>::max(), 1, 1);
  for (int i = 0; i < context.input_count(); ++i) {
    require_types(context, i, Numbers{});
    context.require_same_dtype({0, i});
  }
  infer_broadcast(context, context.input_count(), context.dtype(0));
}

std::shared_ptr<const void> prepare_extremum(PrepareContext& context) {
  (void)prepare_nothing(context);
  auto walks = std::make_shared<std::vector<Walk<1>>>();
  for (int i = 0; i < context.input_count(); ++i) walks->push_back(broadcast_walk<1>(context, i));
  return walks;
}

}  // namespace slipway
