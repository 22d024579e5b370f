// PRelu:  y = x for x >= 0, slope * x below; NaN for NaN.
//
// ONNX PRelu, opsets 13 to 24. x, y: any shape; slope: a shape that is broadcast to that of x; float32 or float64.
// Deviation: the integers that ONNX allows are refused.
#include "ops/elementwise.h"

namespace slipway {

namespace {

/// Whether broadcasting leaves `to` as it is; sizes that are not known yet are asked again.
bool is_broadcast_to(const Dims& from, const Dims& to) {
  if (from.size() > to.size()) return false;
  return std::equal(from.rbegin(), from.rend(), to.rbegin(), [](const Dim& own, const Dim& wanted) {
    return !own.is_known() || own.value() == 1 || !wanted.is_known() || own.value() == wanted.value();
  });
}

}  // namespace

void infer_prelu(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(2, 2, 1, 1);
  require_types(context, 0, Floats{});
  context.require_same_dtype({0, 1});
  const Dims* x = context.dims(0);
  const Dims* slope = context.dims(1);
  if (x == nullptr) return context.output_unknown(0, context.dtype(0));
  if (slope != nullptr && !is_broadcast_to(*slope, *x)) {
    context.reject("slope of shape ", text_of(*slope), " cannot be broadcast to shape ", text_of(*x), " of x");
  }
  context.output(0, context.dtype(0), *x);
}

std::shared_ptr<const void> prepare_prelu(PrepareContext& context) { return prepare_broadcast<2>(context); }

namespace scalar {

void prelu(const OpCall& call) noexcept {
  map_binary(call, Floats{}, [](auto x, auto slope) { return x < 0 ? slope * x : x; });
}

}  // namespace scalar
}  // namespace slipway
