#include "ops/arg_extremum.h"

namespace slipway {

void infer_arg_extremum(InferContext& context) {
  context.allow_attributes({"axis", "keepdims", "select_last_index"});
  context.require_counts(1, 1, 1, 1);
  require_types(context, 0, Numbers{});
  context.require_rank(0, 1, kMaxRank);
  const bool keepdims = context.get_int_in("keepdims", 1, 0, 1) != 0;
  const Dims* x = context.dims(0);
  if (x == nullptr) return context.output_unknown(0, DType::kInt64);
  const int64_t axis = context.normalise_axis(context.get_int("axis", 0), static_cast<int64_t>(x->size()));
  const Dim& size = (*x)[static_cast<std::size_t>(axis)];
  if (size.is_known() && size.value() == 0) context.reject("axis ", axis, " has size 0: nothing can be chosen");
  Dims y = *x;
  if (keepdims) {
    y[static_cast<std::size_t>(axis)] = 1;
  } else {
    y.erase(y.begin() + axis);
  }
  context.output(0, DType::kInt64, std::move(y));
}

std::shared_ptr<const void> prepare_arg_extremum(PrepareContext& context) {
  (void)prepare_nothing(context);
  const Shape x = context.shape(0);
  const int64_t axis = context.get_int("axis", 0);
  const ArgExtremumPrepared prepared{axis < 0 ? axis + x.rank() : axis, context.get_int("select_last_index", 0) != 0};
  if (context.isa() == Isa::kCuda) {
    context.scratch_bytes = reduce_scratch_bytes(context.output_shape(0).count(), x[static_cast<int>(prepared.axis)]);
  }
  return std::make_shared<const ArgExtremumPrepared>(prepared);
}

}  // namespace slipway
