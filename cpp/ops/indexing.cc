#include "ops/indexing.h"

#include "ops/elementwise.h"

namespace slipway {

void require_indices(const InferContext& context, int i) { require_types(context, i, IndexTypes{}); }

void require_fitting_indices(const InferContext& context, int64_t axis) {
  const Dims* data = context.dims(0);
  const Dims* indices = context.dims(1);
  if (data == nullptr || indices == nullptr) return;
  const auto rank = static_cast<int64_t>(data->size());
  axis = context.normalise_axis(axis, rank);
  bool fits = indices->size() == data->size();
  for (int64_t i = 0; fits && i < rank; ++i) {
    const Dim& own = (*indices)[static_cast<std::size_t>(i)];
    const Dim& limit = (*data)[static_cast<std::size_t>(i)];
    fits = i == axis || !own.is_known() || !limit.is_known() || own.value() <= limit.value();
  }
  if (!fits) context.reject("indices have shape ", text_of(*indices), ", data ", text_of(*data));
}

ElementsWalk elements_walk(const PrepareContext& context, int64_t axis) {
  const Shape data = context.shape(0);
  const Shape indices = context.shape(1);
  const auto strides = strides_of(data);
  if (axis < 0) axis += data.rank();
  ElementsWalk elements;
  elements.axis = axis;
  elements.size = data[static_cast<int>(axis)];
  elements.stride = strides[static_cast<std::size_t>(axis)];
  for (int i = 0; i < indices.rank(); ++i) {
    elements.walk.push_axis(indices[i], {i == axis ? 0 : strides[static_cast<std::size_t>(i)]});
  }
  return elements;
}

TupleIndex::TupleIndex(const Shape& data, const Shape& indices, int batch_dims)
    : count(indices.count(0, indices.rank() - 1)), tuple(indices[indices.rank() - 1]) {
  const auto all = strides_of(data);
  const int first_kept = batch_dims + static_cast<int>(tuple);
  slice = data.count() == 0 ? 0 : data.count(first_kept, data.rank());
  if (batch_dims > 0 && count > 0) {
    per_batch = indices.count(batch_dims, indices.rank() - 1);
    batch_stride = all[static_cast<std::size_t>(batch_dims) - 1];
  } else {
    per_batch = count;
  }
  for (int64_t k = 0; k < tuple; ++k) {
    const auto axis = static_cast<std::size_t>(batch_dims + k);
    sizes[static_cast<std::size_t>(k)] = data[static_cast<int>(axis)];
    strides[static_cast<std::size_t>(k)] = all[axis];
  }
}

int64_t TupleIndex::offset(const OpCall& call, int64_t i) const noexcept {
  const int64_t* row = call.inputs[1].as<int64_t>() + i * tuple;
  int64_t at = i / per_batch * batch_stride;
  for (int64_t k = 0; k < tuple; ++k) {
    const int64_t index = scalar::checked_index(call, row[k], sizes[static_cast<std::size_t>(k)]);
    if (index < 0) return -1;
    at += index * strides[static_cast<std::size_t>(k)];
  }
  return at;
}

Reduction reduction_of(const NodeReader& node) {
  const std::string name = node.get_string("reduction", "none");
  if (name == "none") return Reduction::kNone;
  if (name == "add") return Reduction::kAdd;
  if (name == "mul") return Reduction::kMul;
  if (name == "max" && node.opset() >= 18) return Reduction::kMax;
  if (name == "min" && node.opset() >= 18) return Reduction::kMin;
  fail(Code::kModel, "reduction is ", quote(name), ", expected none, add, mul",
       node.opset() >= 18 ? ", max or min" : "");
}

void infer_scatter(InferContext& context) {
  context.require_counts(3, 3, 1, 1);
  context.require_rank(0, 1, kMaxRank);
  require_indices(context, 1);
  context.require_same_dtype({0, 2});
  if (reduction_of(context) != Reduction::kNone) require_types(context, 0, Numbers{});
  infer_broadcast(context, 1, context.dtype(0));
}

}  // namespace slipway
