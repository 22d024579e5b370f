#include "ops/reduce.h"

#include <algorithm>
#include <optional>

#include "ops/shapes.h"

namespace slipway {

namespace {

bool is_noop(const NodeReader& node) { return node.get_int("noop_with_empty_axes", 0) != 0; }

// Which axes of `rank` go, once the list is known.
std::vector<char> reduced_axes(const NodeReader& node, const std::vector<int64_t>& axes, std::size_t rank) {
  if (axes.empty()) return std::vector<char>(rank, is_noop(node) ? 0 : 1);
  std::vector<char> goes(rank);
  for (const int64_t axis : axes)
    goes[static_cast<std::size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis)] = 1;
  return goes;
}

void infer_unknown_axes(InferContext& context, bool keepdims) {
  const Dims* x = context.dims(0);
  context.output_unknown(0, context.dtype(0), keepdims && x != nullptr ? static_cast<int>(x->size()) : -1);
}

}  // namespace

void infer_reduce_axes(InferContext& context, ReduceAxes rule) {
  const bool has_axes_input = context.opset() >= rule.input_since;
  if (has_axes_input) {
    context.allow_attributes({"keepdims", "noop_with_empty_axes"});
  } else {
    context.allow_attributes({"keepdims", "axes"});
  }
  context.require_counts(1, has_axes_input ? 2 : 1, 1, 1);
  const bool keepdims = context.get_int_in("keepdims", 1, 0, 1) != 0;
  std::optional<std::vector<int64_t>> axes = context.get_ints("axes");
  if (context.has_input(1)) {
    context.require_dtype(1, {DType::kInt64});
    context.require_rank(1, 0, 1);
    axes = context.ints(1);
  }
  const Dims* x = context.dims(0);
  if (!axes || x == nullptr) return infer_unknown_axes(context, keepdims);
  (void)normalise_axes(context, *axes, static_cast<int64_t>(x->size()));
  const std::vector<char> goes = reduced_axes(context, *axes, x->size());
  Dims y;
  for (std::size_t i = 0; i < x->size(); ++i) {
    if (goes[i] == 0) y.push_back((*x)[i]);
    if (goes[i] != 0 && keepdims) y.emplace_back(1);
  }
  context.output(0, context.dtype(0), std::move(y));
}

ReduceWalks reduce_walks(const Shape& x, std::span<const char> reduced) {
  const auto strides = strides_of(x);
  ReduceWalks walks;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const auto at = static_cast<std::size_t>(axis);
    (reduced[at] != 0 ? walks.reduced : walks.kept).push_axis(x[axis], {strides[at]});
    if (reduced[at] == 0) walks.run = 0;
    if (reduced[at] != 0 && x[axis] > 1 && x.count() > 0) walks.run = std::max<int64_t>(walks.run, 1) * x[axis];
  }
  return walks;
}

std::shared_ptr<const void> prepare_reduce(PrepareContext& context) {
  (void)prepare_nothing(context);
  const Shape x = context.shape(0);
  const std::vector<int64_t> axes = context.has_input(1) ? context.ints(1) : context.get_ints("axes");
  const std::vector<char> goes = reduced_axes(context, axes, static_cast<std::size_t>(x.rank()));
  context.work = {x.count(), x.count() * size_of(context.dtype(0))};
  const ReduceWalks walks = reduce_walks(x, goes);
  if (context.isa() == Isa::kCuda) {
    context.scratch_bytes = reduce_scratch_bytes(walks.kept.count(), walks.reduced.count());
  }
  return std::make_shared<const ReduceWalks>(walks);
}

}  // namespace slipway
