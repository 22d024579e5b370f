// The activation at the end of a fused operator, as kernels see it.
#pragma once

#include "base/both.h"

namespace slipway {

enum class Activation : int { kNone, kRelu, kLeakyRelu, kSigmoid, kTanh, kHardSwish, kClip, kSilu };

/// True where each side of zero is multiplied by a number.
[[nodiscard]] SLIPWAY_BOTH constexpr bool is_piecewise(Activation kind) noexcept {
  return kind == Activation::kNone || kind == Activation::kRelu || kind == Activation::kLeakyRelu;
}

struct ActivationCall {
  Activation kind = Activation::kNone;
  float alpha = 0.0f;  ///< slope of kLeakyRelu below zero; the least value of kClip
  float beta = 0.0f;   ///< the largest of kClip, also where that is below the least
};

}  // namespace slipway
