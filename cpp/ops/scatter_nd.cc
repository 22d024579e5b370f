// ScatterND:  y = data, then y[indices[i..., :], ...] = updates[i..., ...]: each last row of indices names a slice.
//
// ONNX ScatterND, opsets 13 to 24. `reduction` none, add, mul (since 16), max, min (since 18) says what becomes of the
// value that is there; updates are taken in row-major order. data: any type (a number to be reduced), rank 1 or more;
// indices: int64; An index out of range is a fault.
#include "ops/indexing.h"

namespace slipway {

void infer_scatter_nd(InferContext& context) {
  if (context.opset() >= 16) {
    context.allow_attributes({"reduction"});
  } else {
    context.allow_attributes({});
  }
  infer_scatter(context);
  context.require_dtype(1, {DType::kInt64});
  context.require_rank(1, 1, kMaxRank);
  const Dims* data = context.dims(0);
  const Dims* indices = context.dims(1);
  const Dims* updates = context.dims(2);
  if (data == nullptr || indices == nullptr || updates == nullptr || !indices->back().is_known()) return;
  const int64_t tuple = indices->back().value();
  if (tuple < 1 || tuple > static_cast<int64_t>(data->size())) {
    context.reject("indices have shape ", text_of(*indices), ", whose last size must lie in 1 to ", data->size());
  }
  Dims expected(indices->begin(), indices->end() - 1);
  expected.insert(expected.end(), data->begin() + tuple, data->end());
  if (expected.size() != updates->size()) {
    context.reject("updates have shape ", text_of(*updates), ", expected ", text_of(expected));
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    (void)agreed(context, expected[i], (*updates)[i], concat("axis ", i, " of updates"));
  }
}

std::shared_ptr<const void> prepare_scatter_nd(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const ScatterNdPrepared>(
      ScatterNdPrepared{TupleIndex(context.shape(0), context.shape(1), 0), reduction_of(context)});
}

namespace scalar {

void scatter_nd(const OpCall& call) noexcept {
  const auto& prepared = call.as<ScatterNdPrepared>();
  const TupleIndex& tuples = prepared.tuples;
  copy_data(call);
  dispatch_reduction(prepared.reduction, call.inputs[0].dtype, [&]<typename T>() {
    const T* updates = call.inputs[2].as<T>();
    for (int64_t i = 0; i < tuples.count; ++i, updates += tuples.slice) {
      const int64_t at = tuples.offset(call, i);
      if (at < 0) return;
      T* y = call.outputs[0].as<T>() + at;
      for (int64_t k = 0; k < tuples.slice; ++k) combine(prepared.reduction, y[k], updates[k]);
    }
  });
}

}  // namespace scalar
}  // namespace slipway
