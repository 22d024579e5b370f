// Unsqueeze:  y = x with axes of size 1 put in; `axes` are places in y.
//
// ONNX Unsqueeze, opsets 13 to 24. x: any shape and type; axes: int64 list. A view: nothing is copied.
#include <algorithm>

#include "ops/shapes.h"

namespace slipway {

void infer_unsqueeze(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(2, 2, 1, 1);
  context.require_rank(1, 0, 1);
  const auto axes = context.ints(1);
  const Dims* x = context.dims(0);
  if (!axes || x == nullptr) return context.output_unknown(0, context.dtype(0));
  const std::size_t rank = x->size() + axes->size();
  const std::vector<int64_t> places = normalise_axes(context, *axes, static_cast<int64_t>(rank));
  Dims y;
  auto next = x->begin();
  for (std::size_t i = 0; i < rank; ++i) {
    const bool is_new = std::find(places.begin(), places.end(), static_cast<int64_t>(i)) != places.end();
    y.push_back(is_new ? Dim(1) : *next++);
  }
  context.output(0, context.dtype(0), std::move(y));
}

}  // namespace slipway
