// Dropout in inference:  y = x.
//
// ONNX Dropout, opsets 13 to 24. x: any shape, float32 or float64; ratio is passed over. A view: nothing is copied.
// Refused: training_mode other than a constant false, and the mask output.
#include "ops/elementwise.h"

namespace slipway {

void infer_dropout(InferContext& context) {
  context.allow_attributes({"seed"});
  context.require_counts(1, 3, 1, 2);
  require_types(context, 0, Floats{});
  if (context.wants_output(1)) context.refuse("output 1 (mask) is not supported");
  if (context.has_input(2)) {
    require_types(context, 2, Types<bool>{});
    const auto& mode = context.input(2).constant;
    if (!mode) context.refuse("training_mode is not a constant; supported is a constant false");
    if (mode->shape().count() != 1) context.reject("training_mode has shape ", mode->shape().text());
    if (*mode->as<uint8_t>() != 0) context.refuse("training_mode is true; supported is inference");
  }
  infer_broadcast(context, 1, context.dtype(0));
}

}  // namespace slipway
