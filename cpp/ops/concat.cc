// Concat:  the inputs one after another along an axis.
//
// ONNX Concat, opsets 13 to 24. One input or more of one type and rank, equal sizes but along the axis.
#include <cstring>
#include <limits>

#include "ops/shapes.h"

namespace slipway {

void infer_concat(InferContext& context) {
  context.allow_attributes({"axis"});
  context.require_counts(1, std::numeric_limits<int>::max(), 1, 1);
  const int64_t wanted = context.require_int("axis");
  Dims y;
  Dim along = 0;
  for (int i = 0; i < context.input_count(); ++i) {
    context.require_same_dtype({0, i});
    const Dims* x = context.dims(i);
    if (x == nullptr) return context.output_unknown(0, context.dtype(0));
    if (i == 0) y = *x;
    if (x->size() != y.size()) {
      context.reject("input ", i, " has shape ", text_of(*x), ", expected rank ", y.size(), " as the inputs before it");
    }
    const auto axis = static_cast<std::size_t>(context.normalise_axis(wanted, static_cast<int64_t>(y.size())));
    for (std::size_t k = 0; k < y.size(); ++k) {
      if (k != axis) y[k] = agreed(context, y[k], (*x)[k], concat("axis ", k, " of input ", i));
    }
    const Dim& more = (*x)[axis];
    along = i == 0 ? more : along.is_known() && more.is_known() ? checked_add(along.value(), more.value()) : Dim();
    if (i + 1 == context.input_count()) y[axis] = along;
  }
  context.output(0, context.dtype(0), std::move(y));
}

std::shared_ptr<const void> prepare_concat(PrepareContext& context) {
  (void)prepare_nothing(context);
  const int64_t axis = context.require_int("axis");
  return std::make_shared<const int64_t>(axis < 0 ? axis + context.output_shape(0).rank() : axis);
}

namespace scalar {

void concat(const OpCall& call) noexcept {
  const auto axis = call.as<int64_t>();
  const int64_t bytes = size_of(call.outputs[0].dtype);
  const Split y = split_at(call.outputs[0].shape, axis);
  int64_t before = 0;
  for (const TensorView& input : call.inputs) {
    const Split x = split_at(input.shape, axis);
    const int64_t run = x.axis * x.inner * bytes;
    for (int64_t o = 0; o < x.outer; ++o) {
      std::memcpy(call.outputs[0].as<std::byte>() + (o * y.axis + before) * y.inner * bytes,
                  input.as<std::byte>() + o * run, static_cast<std::size_t>(run));
    }
    before += x.axis;
  }
}

}  // namespace scalar
}  // namespace slipway
