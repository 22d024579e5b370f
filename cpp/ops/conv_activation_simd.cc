// ConvActivation: the call that Conv's kernel reads holds the activation.
#include "ops/call.h"

namespace slipway::SLIPWAY_ISA {

void conv(const OpCall& call) noexcept;

void conv_activation(const OpCall& call) noexcept { conv(call); }

}  // namespace slipway::SLIPWAY_ISA
