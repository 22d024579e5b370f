// Identity:  y = x.
//
// ONNX Identity, opsets 13 to 24. x, y: any shape and type. A view: nothing is copied.
#include "ops/op.h"

namespace slipway {

void infer_identity(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(1, 1, 1, 1);
  context.outputs()[0] = context.input(0);
}

}  // namespace slipway
