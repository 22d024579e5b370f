// Squeeze:  y = x without the given axes of size 1, or without all of that size.
//
// ONNX Squeeze, opsets 13 to 24. x: any shape and type; axes: int64 list, optional. A view: nothing is copied.
#include <algorithm>

#include "ops/shapes.h"

namespace slipway {

namespace {

bool is_all_known(const Dims& dims) {
  return std::all_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.is_known(); });
}

}  // namespace

void infer_squeeze(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(1, 2, 1, 1);
  const Dims* x = context.dims(0);
  std::optional<std::vector<int64_t>> axes;
  if (context.has_input(1)) {
    context.require_rank(1, 0, 1);
    axes = context.ints(1);
    if (!axes) return context.output_unknown(0, context.dtype(0));
  }
  if (x == nullptr || (!axes && !is_all_known(*x))) return context.output_unknown(0, context.dtype(0));

  std::vector<bool> goes(x->size());
  for (std::size_t i = 0; i < x->size(); ++i) goes[i] = !axes && (*x)[i].value() == 1;
  if (axes) {
    for (const int64_t axis : normalise_axes(context, *axes, static_cast<int64_t>(x->size()))) {
      const Dim& dim = (*x)[static_cast<std::size_t>(axis)];
      if (dim.is_known() && dim.value() != 1) {
        context.reject("axis ", axis, " of shape ", text_of(*x), " is not of size 1");
      }
      goes[static_cast<std::size_t>(axis)] = true;
    }
  }
  Dims y;
  for (std::size_t i = 0; i < x->size(); ++i) {
    if (!goes[i]) y.push_back((*x)[i]);
  }
  context.output(0, context.dtype(0), std::move(y));
}

}  // namespace slipway
