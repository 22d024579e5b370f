// The activation at the end of a fused operator, as kernels see it.
#pragma once

namespace slipway {

enum class Activation : int { kNone, kRelu, kLeakyRelu, kSigmoid, kTanh };

struct ActivationCall {
  Activation kind = Activation::kNone;
  float alpha = 0.0f;  ///< slope of kLeakyRelu below zero
};

}  // namespace slipway
