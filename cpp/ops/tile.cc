// Tile:  y = x repeated along every axis, repeats[i] times along axis i.
//
// ONNX Tile, opsets 13 to 24. x: any shape and type; repeats: int64 list, one per axis.
#include "ops/shapes.h"

namespace slipway {

void infer_tile(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(2, 2, 1, 1);
  context.require_rank(1, 1, 1);
  const auto repeats = context.ints(1);
  const Dims* x = context.dims(0);
  if (!repeats || x == nullptr) {
    return context.output_unknown(0, context.dtype(0), x == nullptr ? -1 : static_cast<int>(x->size()));
  }
  if (repeats->size() != x->size()) {
    context.reject("repeats has ", repeats->size(), " values for an input of shape ", text_of(*x));
  }
  Dims y;
  for (std::size_t i = 0; i < x->size(); ++i) {
    const int64_t times = (*repeats)[i];
    if (times < 0) context.reject("repeats holds ", times, ", expected 0 or more");
    const Dim& dim = (*x)[i];
    y.push_back(times == 1 ? dim : dim.is_known() ? Dim(checked_multiply(dim.value(), times)) : Dim());
  }
  context.output(0, context.dtype(0), std::move(y));
}

std::shared_ptr<const void> prepare_tile(PrepareContext& context) {
  (void)prepare_nothing(context);
  const Shape x = context.shape(0);
  const auto strides = strides_of(x);
  const std::vector<int64_t> repeats = context.ints(1);
  Walk<1> walk;
  // Of nothing, there may be more repetitions than can be counted.
  const bool is_empty = context.output_shape(0).count() == 0;
  if (is_empty) walk.push_axis(0, {0});
  for (int axis = 0; axis < x.rank() && !is_empty; ++axis) {
    walk.push_axis(repeats[static_cast<std::size_t>(axis)], {0});
    walk.push_axis(x[axis], {strides[static_cast<std::size_t>(axis)]});
  }
  return std::make_shared<const Walk<1>>(walk);
}

namespace scalar {

void tile(const OpCall& call) noexcept { copy_walk(call, call.as<Walk<1>>()); }

}  // namespace scalar
}  // namespace slipway
