// Max and Min: what both share before running.
#include "ops/extremum_rules.h"

#include <limits>
#include <vector>

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

namespace {

struct ExtremumPrepared : ExtremumCall {
  std::vector<Walk<1>> own;
};

}  // namespace

std::shared_ptr<const void> prepare_extremum(PrepareContext& context) {
  (void)prepare_nothing(context);
  auto prepared = std::make_shared<ExtremumPrepared>();
  for (int i = 0; i < context.input_count(); ++i) prepared->own.push_back(broadcast_walk<1>(context, i));
  prepared->walks = prepared->own.data();
  prepared->inputs = context.input_count();
  return std::shared_ptr<const ExtremumCall>(std::move(prepared));
}

}  // namespace slipway
