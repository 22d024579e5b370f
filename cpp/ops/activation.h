// The activation at the end of a fused operator, as kernels see it.
#pragma once

namespace slipway {

enum class Activation : int { kNone, kRelu, kLeakyRelu, kSigmoid, kTanh, kHardSwish, kClip, kSilu };

struct ActivationCall {
  Activation kind = Activation::kNone;
  float alpha = 0.0f;  ///< slope of kLeakyRelu below zero; the least value of kClip
  float beta = 0.0f;   ///< the largest of kClip, also where that is below the least
};

}  // namespace slipway
