// Gather:  y[outer, i..., inner] = data[outer, indices[i...], inner], the middle place being `axis`.
//
// ONNX Gather, opsets 13 to 24. data: any type, rank 1 or more; indices: int32 or int64, any shape, negative ones from
// the end. An index out of range is a fault.
#include <cstring>

#include "ops/indexing.h"

namespace slipway {

void infer_gather(InferContext& context) {
  context.allow_attributes({"axis"});
  context.require_counts(2, 2, 1, 1);
  context.require_rank(0, 1, kMaxRank);
  require_indices(context, 1);
  const Dims* data = context.dims(0);
  const Dims* indices = context.dims(1);
  if (data == nullptr || indices == nullptr) return context.output_unknown(0, context.dtype(0));
  const int64_t axis = context.normalise_axis(context.get_int("axis", 0), static_cast<int64_t>(data->size()));
  Dims y(data->begin(), data->begin() + axis);
  y.insert(y.end(), indices->begin(), indices->end());
  y.insert(y.end(), data->begin() + axis + 1, data->end());
  context.output(0, context.dtype(0), std::move(y));
}

std::shared_ptr<const void> prepare_gather(PrepareContext& context) {
  (void)prepare_nothing(context);
  const int64_t axis = context.get_int("axis", 0);
  return std::make_shared<const int64_t>(axis < 0 ? axis + context.shape(0).rank() : axis);
}

namespace scalar {

void gather(const OpCall& call) noexcept {
  const auto axis = call.as<int64_t>();
  const TensorView& data = call.inputs[0];
  const IndexList indices(call.inputs[1]);
  const int64_t count = call.inputs[1].shape.count();
  const int64_t size = data.shape[static_cast<int>(axis)];
  for (int64_t i = 0; i < count; ++i) {
    if (checked_index(call, indices[i], size) < 0) return;
  }
  const auto [outer, rows, inner] = split_at(data.shape, axis);
  const int64_t run = inner * size_of(data.dtype);
  auto* y = call.outputs[0].as<std::byte>();
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < count; ++i, y += run) {
      const int64_t index = checked_index(call, indices[i], size);
      if (index < 0) return;  // another thread has written to the caller's indices
      std::memcpy(y, data.as<std::byte>() + (o * rows + index) * run, static_cast<std::size_t>(run));
    }
  }
}

}  // namespace scalar
}  // namespace slipway
