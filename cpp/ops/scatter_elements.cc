// ScatterElements:  y = data, then y[indices[i, j, k], j, k] = updates[i, j, k], here for axis 0.
//
// ONNX ScatterElements, opsets 13 to 24. `reduction` none, add, mul (since 16), max, min (since 18) says what becomes
// of the value that is there; updates are taken in row-major order. data: any type (a number to be reduced), rank 1 or
// more; indices: int32 or int64; updates: of their shape. An index out of range is a fault.
#include "ops/indexing.h"

namespace slipway {

void infer_scatter_elements(InferContext& context) {
  if (context.opset() >= 16) {
    context.allow_attributes({"axis", "reduction"});
  } else {
    context.allow_attributes({"axis"});
  }
  infer_scatter(context);
  require_fitting_indices(context, context.get_int("axis", 0));
  const Dims* indices = context.dims(1);
  const Dims* updates = context.dims(2);
  if (indices == nullptr || updates == nullptr) return;
  if (indices->size() != updates->size()) {
    context.reject("updates have shape ", text_of(*updates), ", indices ", text_of(*indices));
  }
  for (std::size_t i = 0; i < indices->size(); ++i) {
    (void)agreed(context, (*indices)[i], (*updates)[i], concat("axis ", i, " of updates"));
  }
}

std::shared_ptr<const void> prepare_scatter_elements(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const ScatterElementsPrepared>(
      ScatterElementsPrepared{elements_walk(context, context.get_int("axis", 0)), reduction_of(context)});
}

namespace scalar {

void scatter_elements(const OpCall& call) noexcept {
  const auto& [elements, reduction] = call.as<ScatterElementsPrepared>();
  const IndexList indices(call.inputs[1]);
  copy_data(call);
  dispatch_reduction(reduction, call.inputs[0].dtype, [&, how = reduction, &to = elements]<typename T>() {
    const T* updates = call.inputs[2].as<T>();
    T* y = call.outputs[0].as<T>();
    const int64_t step = to.walk.inner_strides()[0];
    to.walk.for_each_run(0, to.walk.count(), [&](int64_t i, int64_t count, const Walk<1>::Offsets& at) {
      if (how == Reduction::kNone && step == 1 && indices.are_same(i, count)) {
        const int64_t index = checked_index(call, indices[i], to.size);
        if (index >= 0) std::copy_n(updates + i, count, y + at[0] + index * to.stride);
        return;
      }
      for (int64_t j = 0; j < count; ++j) {
        const int64_t index = checked_index(call, indices[i + j], to.size);
        if (index >= 0) combine(how, y[at[0] + j * step + index * to.stride], updates[i + j]);
      }
    });
  });
}

}  // namespace scalar
}  // namespace slipway
