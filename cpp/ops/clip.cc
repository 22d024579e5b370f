// Clip:  y = min(max(x, low), high); NaN for NaN. Where low > high, y = high.
//
// ONNX Clip, opsets 13 to 24. x, y: any shape; low and high: optional, one element (an absent one bounds nothing,
// infinities included, as torch has it); float32, float64, int64, int32, int8 or uint8.
#include <limits>

#include "ops/elementwise.h"

namespace slipway {

void infer_clip(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(1, 3, 1, 1);
  require_types(context, 0, Numbers{});
  for (const int bound : {1, 2}) {
    if (!context.has_input(bound)) continue;
    context.require_same_dtype({0, bound});
    const Dims* dims = context.dims(bound);
    if (dims != nullptr && !dims->empty() && (dims->size() != 1 || !(*dims)[0].surely_equals(1))) {
      context.reject("input ", bound, " has shape ", text_of(*dims), ", expected a scalar");
    }
  }
  infer_broadcast(context, 1, context.dtype(0));
}

std::shared_ptr<const void> prepare_clip(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

namespace {

template <typename T>
T bound_of(const OpCall& call, std::size_t i, T otherwise) noexcept {
  return call.has_input(i) ? *call.inputs[i].as<T>() : otherwise;
}

}  // namespace

void clip(const OpCall& call) noexcept {
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename T>() {
    using Limits = std::numeric_limits<T>;
    const T low = bound_of<T>(call, 1, Limits::has_infinity ? -Limits::infinity() : Limits::lowest());
    const T high = bound_of<T>(call, 2, Limits::has_infinity ? Limits::infinity() : Limits::max());
    map_each(call, Types<T>{}, [=](T x) {
      const T raised = x < low ? low : x;
      return raised > high ? high : raised;
    });
  });
}

}  // namespace scalar
}  // namespace slipway
