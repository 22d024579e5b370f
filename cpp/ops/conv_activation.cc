// ConvActivation:  y = f(Conv(x, w, b)), made by the passes; no ONNX file holds it.
//
// Domain slipway. Inputs, attributes and types of Conv; `activation` and its numbers name f (activation_rules.h).
#include "ops/conv_rules.h"

namespace slipway {

void infer_conv_activation(InferContext& context) { infer_convolution(context, true); }

std::shared_ptr<const void> prepare_conv_activation(PrepareContext& context) { return prepare_convolution(context); }

namespace scalar {

void conv_activation(const OpCall& call) noexcept { convolve(call); }

}  // namespace scalar
}  // namespace slipway
