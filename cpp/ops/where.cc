// Where:  y = a where condition, b elsewhere.
//
// ONNX Where, opsets 13 to 24. condition: bool; a, b: any type, all three broadcast as in numpy.
#include "ops/elementwise.h"

namespace slipway {

void infer_where(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(3, 3, 1, 1);
  require_types(context, 0, Types<bool>{});
  context.require_same_dtype({1, 2});
  infer_broadcast(context, 3, context.dtype(1));
}

std::shared_ptr<const void> prepare_where(PrepareContext& context) { return prepare_broadcast<3>(context); }

namespace scalar {

void where(const OpCall& call) noexcept {
  const auto* condition = call.inputs[0].as<uint8_t>();
  dispatch_storage(call.inputs[1].dtype, [&]<typename T>() {
    const T* a = call.inputs[1].as<T>();
    const T* b = call.inputs[2].as<T>();
    T* y = call.outputs[0].as<T>();
    call.as<Walk<3>>().for_each(
        [&](int64_t i, const Walk<3>::Offsets& at) { y[i] = condition[at[0]] != 0 ? a[at[1]] : b[at[2]]; });
  });
}

}  // namespace scalar
}  // namespace slipway
