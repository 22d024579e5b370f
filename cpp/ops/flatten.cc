// Flatten:  y = x as a matrix [sizes before axis, sizes from axis on].
//
// ONNX Flatten, opsets 13 to 24. x: any shape and type. A view: nothing is copied.
#include "ops/shapes.h"

namespace slipway {

void infer_flatten(InferContext& context) {
  context.allow_attributes({"axis"});
  context.require_counts(1, 1, 1, 1);
  const Dims* x = context.dims(0);
  if (x == nullptr) return context.output_unknown(0, context.dtype(0), 2);
  const auto rank = static_cast<int64_t>(x->size());
  const int64_t axis = context.get_int_in("axis", 1, -rank, rank);
  const auto split = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
  const std::span<const Dim> dims(*x);
  context.output(0, context.dtype(0), {product_of(dims.first(split)), product_of(dims.subspan(split))});
}

}  // namespace slipway
