// GatherND:  y[b..., i...] = data[b..., indices[b..., i..., :], ...]: each last row of indices names a slice of data.
//
// ONNX GatherND, opsets 13 to 24. data: any type, rank 1 or more; indices: int64, negative ones from the end;
// `batch_dims` leading axes are shared by both. An index out of range is a fault.
#include <cstring>

#include "ops/indexing.h"

namespace slipway {

void infer_gather_nd(InferContext& context) {
  context.allow_attributes({"batch_dims"});
  context.require_counts(2, 2, 1, 1);
  context.require_rank(0, 1, kMaxRank);
  context.require_rank(1, 1, kMaxRank);
  context.require_dtype(1, {DType::kInt64});
  const Dims* data = context.dims(0);
  const Dims* indices = context.dims(1);
  const bool is_open = data == nullptr || indices == nullptr || !indices->back().is_known();
  if (is_open) return context.output_unknown(0, context.dtype(0));
  const auto rank = static_cast<int64_t>(data->size());
  const int64_t batch =
      context.get_int_in("batch_dims", 0, 0, std::min(rank, static_cast<int64_t>(indices->size())) - 1);
  const int64_t tuple = indices->back().value();
  if (tuple < 1 || tuple > rank - batch) {
    context.reject("indices have shape ", text_of(*indices), ", whose last size must lie in 1 to ", rank - batch);
  }
  Dims y(indices->begin(), indices->end() - 1);
  for (int64_t i = 0; i < batch; ++i) {
    const auto at = static_cast<std::size_t>(i);
    y[at] = agreed(context, (*data)[at], (*indices)[at], concat("axis ", i, " of indices"));
  }
  y.insert(y.end(), data->begin() + batch + tuple, data->end());
  context.output(0, context.dtype(0), std::move(y));
}

std::shared_ptr<const void> prepare_gather_nd(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const TupleIndex>(context.shape(0), context.shape(1),
                                            static_cast<int>(context.get_int("batch_dims", 0)));
}

namespace scalar {

void gather_nd(const OpCall& call) noexcept {
  const auto& tuples = call.as<TupleIndex>();
  const int64_t run = tuples.slice * size_of(call.inputs[0].dtype);
  auto* y = call.outputs[0].as<std::byte>();
  for (int64_t i = 0; i < tuples.count; ++i, y += run) {
    const int64_t at = tuples.offset(call, i);
    if (at < 0) return;
    std::memcpy(y, call.inputs[0].as<std::byte>() + at * size_of(call.inputs[0].dtype), static_cast<std::size_t>(run));
  }
}

}  // namespace scalar
}  // namespace slipway
