// Conv:  y[n, m, o] = b[m] + sum over c, t of x[n, c, o * stride - pad + t * dilation] * w[m, c, t].
//
// ONNX Conv 1, 11 and 22 as in opsets 13 to 24. x: [N, C, D...]; w: [M, C / group, K...]; b: [M], optional;
// y: [N, M, O...]; one to three spatial axes; float32, float64. Positions outside x count as zero.
// Deviations: attributes pads and auto_pad together are refused.
#include "ops/conv_rules.h"

namespace slipway {

void infer_conv(InferContext& context) { infer_convolution(context, false); }

std::shared_ptr<const void> prepare_conv(PrepareContext& context) { return prepare_convolution(context); }

namespace scalar {

void conv(const OpCall& call) noexcept { convolve(call); }

}  // namespace scalar
}  // namespace slipway
