// Expand:  y = x, broadcast as in numpy together with `shape`.
//
// ONNX Expand, opsets 13 to 24. x: any shape and type; shape: int64 list, whose sizes of 1 keep those of x.
#include "ops/elementwise.h"
#include "ops/shapes.h"

namespace slipway {

void infer_expand(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(2, 2, 1, 1);
  context.require_rank(1, 1, 1);
  const auto shape = context.ints(1);
  const Dims* x = context.dims(0);
  if (!shape || x == nullptr) return context.output_unknown(0, context.dtype(0));
  Dims wanted;
  for (const int64_t size : *shape) {
    if (size < 0) context.reject("shape holds ", size, ", expected 0 or more");
    wanted.emplace_back(size);
  }
  context.output(0, context.dtype(0), broadcast(*x, wanted));
}

std::shared_ptr<const void> prepare_expand(PrepareContext& context) { return prepare_broadcast<1>(context); }

namespace scalar {

void expand(const OpCall& call) noexcept { copy_walk(call, call.as<Walk<1>>()); }

}  // namespace scalar
}  // namespace slipway
