// OneHot:  y = on where the new axis's place equals the index, off elsewhere.
//
// ONNX OneHot, opsets 13 to 24. indices: numbers, any shape, cut to integers; [-depth, depth - 1] count, others give
// off everywhere. depth: one number; values: [off, on], any type. `axis` (-1 the last) is the new axis's place in y.
#include "ops/convert.h"
#include "ops/elementwise.h"
#include "ops/shapes.h"

namespace slipway {

void infer_one_hot(InferContext& context) {
  context.allow_attributes({"axis"});
  context.require_counts(3, 3, 1, 1);
  require_types(context, 0, Numbers{});
  require_types(context, 1, Numbers{});
  require_one_element(context, 1);
  context.require_rank(2, 1, 1);
  const Dims* values = context.dims(2);
  if (values != nullptr && (*values)[0].is_known() && (*values)[0].value() != 2) {
    context.reject("values have shape ", text_of(*values), ", expected [2]");
  }
  const Tensor* depth = context.value(1);
  const Dims* indices = context.dims(0);
  if (depth == nullptr || indices == nullptr) {
    return context.output_unknown(0, context.dtype(2), indices == nullptr ? -1 : static_cast<int>(indices->size()) + 1);
  }
  int64_t size = 0;
  dispatch(Numbers{}, depth->dtype(), [&]<typename T>() { size = convert<int64_t>(*depth->as<T>()); });
  if (size < 1) context.reject("depth is ", size, ", expected 1 or more");
  const int64_t rank = static_cast<int64_t>(indices->size()) + 1;
  Dims y = *indices;
  y.insert(y.begin() + context.normalise_axis(context.get_int("axis", -1), rank), Dim(size));
  context.output(0, context.dtype(2), std::move(y));
}

std::shared_ptr<const void> prepare_one_hot(PrepareContext& context) {
  (void)prepare_nothing(context);
  const int64_t axis = context.get_int("axis", -1);
  return std::make_shared<const int64_t>(axis < 0 ? axis + context.output_shape(0).rank() : axis);
}

namespace scalar {

namespace {

template <typename Index, typename T>
void mark(const OpCall& call) noexcept {
  const Split y = split_at(call.outputs[0].shape, call.as<int64_t>());
  const auto* indices = call.inputs[0].as<Index>();
  const T* values = call.inputs[2].as<T>();
  T* out = call.outputs[0].as<T>();
  std::fill_n(out, call.outputs[0].shape.count(), values[0]);
  for (int64_t o = 0; o < y.outer; ++o) {
    for (int64_t i = 0; i < y.inner; ++i) {
      const auto index = convert<int64_t>(indices[o * y.inner + i]);
      const int64_t place = index < 0 ? index + y.axis : index;
      if (place >= 0 && place < y.axis) out[(o * y.axis + place) * y.inner + i] = values[1];
    }
  }
}

}  // namespace

void one_hot(const OpCall& call) noexcept {
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename Index>() {
    dispatch_storage(call.inputs[2].dtype, [&]<typename T>() { mark<Index, T>(call); });
  });
}

}  // namespace scalar
}  // namespace slipway
