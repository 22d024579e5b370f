// Transpose:  axis i of y is axis perm[i] of x; without `perm` the axes are turned round.
//
// ONNX Transpose, opsets 13 to 24. x: any shape and type.
#include <numeric>

#include "ops/shapes.h"

namespace slipway {

namespace {

std::vector<int64_t> permutation_of(const NodeReader& node, std::size_t rank) {
  std::vector<int64_t> turned(rank);
  std::iota(turned.rbegin(), turned.rend(), 0);
  return node.get_ints("perm", turned);
}

}  // namespace

void infer_transpose(InferContext& context) {
  context.allow_attributes({"perm"});
  context.require_counts(1, 1, 1, 1);
  const Dims* x = context.dims(0);
  if (x == nullptr) return context.output_unknown(0, context.dtype(0));
  const std::vector<int64_t> permutation = permutation_of(context, x->size());
  std::vector<bool> seen(x->size());
  Dims y;
  for (const int64_t axis : permutation) {
    if (axis < 0 || axis >= static_cast<int64_t>(x->size()) || seen[static_cast<std::size_t>(axis)]) {
      context.reject("perm is no permutation of the axes of shape ", text_of(*x));
    }
    seen[static_cast<std::size_t>(axis)] = true;
    y.push_back((*x)[static_cast<std::size_t>(axis)]);
  }
  if (y.size() != x->size()) {
    context.reject("perm has ", y.size(), " axes, the input of shape ", text_of(*x), " has ", x->size());
  }
  context.output(0, context.dtype(0), std::move(y));
}

std::shared_ptr<const void> prepare_transpose(PrepareContext& context) {
  (void)prepare_nothing(context);
  const Shape x = context.shape(0);
  const auto strides = strides_of(x);
  Walk<1> walk;
  for (const int64_t axis : permutation_of(context, static_cast<std::size_t>(x.rank()))) {
    walk.push_axis(x[static_cast<int>(axis)], {strides[static_cast<std::size_t>(axis)]});
  }
  return std::make_shared<const Walk<1>>(walk);
}

namespace scalar {

void transpose(const OpCall& call) noexcept { copy_walk(call, call.as<Walk<1>>()); }

}  // namespace scalar
}  // namespace slipway
