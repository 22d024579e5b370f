// GatherElements:  y[i, j, k] = data[indices[i, j, k], j, k], here for axis 0.
//
// ONNX GatherElements, opsets 13 to 24. data: any type, rank 1 or more; indices: int32 or int64, of the same rank, not
// larger than data but along the axis; negative ones from the end. An index out of range is a fault.
#include "ops/indexing.h"

namespace slipway {

void infer_gather_elements(InferContext& context) {
  context.allow_attributes({"axis"});
  context.require_counts(2, 2, 1, 1);
  context.require_rank(0, 1, kMaxRank);
  require_indices(context, 1);
  const Dims* data = context.dims(0);
  const Dims* indices = context.dims(1);
  if (data == nullptr || indices == nullptr) return context.output_unknown(0, context.dtype(0));
  require_fitting_indices(context, context.get_int("axis", 0));
  context.output(0, context.dtype(0), *indices);
}

std::shared_ptr<const void> prepare_gather_elements(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const ElementsWalk>(elements_walk(context, context.get_int("axis", 0)));
}

namespace scalar {

void gather_elements(const OpCall& call) noexcept {
  const auto& prepared = call.as<ElementsWalk>();
  const IndexList indices(call.inputs[1]);
  const int64_t step = prepared.walk.inner_strides()[0];
  dispatch_storage(call.inputs[0].dtype, [&]<typename T>() {
    T* y = call.outputs[0].as<T>();
    prepared.walk.for_each_run(0, prepared.walk.count(), [&](int64_t i, int64_t count, const Walk<1>::Offsets& at) {
      const T* data = call.inputs[0].as<T>() + at[0];
      if (step == 1 && indices.are_same(i, count)) {
        const int64_t index = checked_index(call, indices[i], prepared.size);
        if (index >= 0) std::copy_n(data + index * prepared.stride, count, y + i);
        return;
      }
      for (int64_t j = 0; j < count; ++j) {
        const int64_t index = checked_index(call, indices[i + j], prepared.size);
        if (index >= 0) y[i + j] = data[j * step + index * prepared.stride];
      }
    });
  });
}

}  // namespace scalar
}  // namespace slipway
