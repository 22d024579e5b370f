// Reshape:  the elements of x in their order, in another shape.
//
// ONNX Reshape, opsets 13 to 24 (`allowzero` since 14). x: any shape and type; shape: int64 list, where -1 stands once
// for whatever remains, and 0 for the size of x at that place unless `allowzero` is 1. A view: nothing is copied.
#include "ops/shapes.h"

namespace slipway {

namespace {

// What remains for the place of -1: elements of x by elements of the rest. A dimension that was copied from x stands
// on both sides and cancels, even where it is 0.
Dim remaining(const InferContext& context, const Dims& x, const Dims& y, std::size_t place, bool copies) {
  Dims above;
  Dims below;
  for (std::size_t i = 0; i < std::max(x.size(), y.size()); ++i) {
    const bool is_both = i < x.size() && i < y.size() && i != place && copies && x[i].surely_equals(y[i]);
    if (is_both) continue;
    if (i < x.size()) above.push_back(x[i]);
    if (i < y.size() && i != place) below.push_back(y[i]);
  }
  const Dim all = product_of(above);
  const Dim rest = product_of(below);
  if (!rest.is_known()) return {};
  if (!all.is_known()) return rest.value() == 1 ? all : Dim();
  if (rest.value() == 0 || all.value() % rest.value() != 0) {
    context.reject("shape ", text_of(x), " cannot become ", text_of(y), " with one size open");
  }
  return all.value() / rest.value();
}

}  // namespace

void infer_reshape(InferContext& context) {
  if (context.opset() >= 14) {
    context.allow_attributes({"allowzero"});
  } else {
    context.allow_attributes({});
  }
  context.require_counts(2, 2, 1, 1);
  context.require_rank(1, 1, 1);
  const bool copies = context.get_int_in("allowzero", 0, 0, 1) == 0;
  const auto wanted = context.ints(1);
  if (!wanted) {
    const Dims* list = context.dims(1);
    const bool has_rank = list != nullptr && (*list)[0].is_known() && (*list)[0].value() <= kMaxRank;
    return context.output_unknown(0, context.dtype(0), has_rank ? static_cast<int>((*list)[0].value()) : -1);
  }
  const Dims* x = context.dims(0);
  Dims y;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < wanted->size(); ++i) {
    const int64_t size = (*wanted)[i];
    if (size < -1) context.reject("shape holds ", size, ", expected -1 or more");
    if (size == -1 && open) context.reject("shape holds -1 twice");
    if (size == -1) open = i;
    if (size == 0 && copies && x != nullptr && i >= x->size()) {
      context.reject("shape holds 0 at place ", i, ", where the input of shape ", text_of(*x), " has no size to copy");
    }
    const bool is_copied = size == 0 && copies;
    y.push_back(is_copied ? (x != nullptr ? (*x)[i] : Dim()) : size == -1 ? Dim() : Dim(size));
  }
  if (x != nullptr && open) y[*open] = remaining(context, *x, y, *open, copies);
  if (x != nullptr) {
    const Dim before = product_of(*x);
    const Dim after = product_of(y);
    if (before.is_known() && after.is_known() && before.value() != after.value()) {
      context.reject("shape ", text_of(*x), " cannot become ", text_of(y));
    }
  }
  context.output(0, context.dtype(0), std::move(y));
}

}  // namespace slipway
