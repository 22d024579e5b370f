// What the activation at the end of a fused operator means, on the host and on a CUDA device.
#pragma once

#include <cmath>

#include "base/both.h"
#include "ops/activation.h"

namespace slipway {

/// The meaning; NaN stays NaN.
[[nodiscard]] SLIPWAY_BOTH inline double activate(const ActivationCall& call, double x) noexcept {
  switch (call.kind) {
    case Activation::kRelu:
      return x < 0.0 ? 0.0 : x;
    case Activation::kLeakyRelu:
      return x < 0.0 ? static_cast<double>(call.alpha) * x : x;
    case Activation::kSigmoid:
      return 1.0 / (1.0 + std::exp(-x));
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kHardSwish: {
      const double raised = x + 3;  // exact where it is small, x / 6 + 1 / 2 is not; and no product overflows
      return x * ((raised < 0 ? 0.0 : raised > 6 ? 6.0 : raised) / 6);
    }
    case Activation::kClip: {
      const double raised = x < static_cast<double>(call.alpha) ? static_cast<double>(call.alpha) : x;
      return raised > static_cast<double>(call.beta) ? static_cast<double>(call.beta) : raised;
    }
    case Activation::kSilu:
      return x * (1.0 / (1.0 + std::exp(-x)));
    case Activation::kNone:
      break;
  }
  return x;
}

}  // namespace slipway
