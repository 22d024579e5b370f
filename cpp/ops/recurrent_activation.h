// The activations of GRU, LSTM and RNN in double, for the scalar and the general CUDA kernels.
#pragma once

#include <cmath>

#include "ops/recurrent.h"

namespace slipway {

/// Within [low, high]; NaN stays NaN.
[[nodiscard]] SLIPWAY_BOTH inline double bounded(double x, double low, double high) noexcept {
  return x < low ? low : high < x ? high : x;
}

/// f(x) of ONNX GRU-22, "Activation functions". NaN stays NaN.
[[nodiscard]] SLIPWAY_BOTH inline double activate(const GateActivation& f, double x) noexcept {
  switch (f.kind) {
    case ActivationKind::kRelu:
      return x < 0 ? 0 : x;
    case ActivationKind::kTanh:
      return std::tanh(x);
    case ActivationKind::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case ActivationKind::kAffine:
      return f.alpha * x + f.beta;
    case ActivationKind::kLeakyRelu:
      return x >= 0 ? x : f.alpha * x;
    case ActivationKind::kThresholdedRelu:
      return x < f.alpha ? 0 : x;
    case ActivationKind::kScaledTanh:
      return f.alpha * std::tanh(f.beta * x);
    case ActivationKind::kHardSigmoid:
      return bounded(f.alpha * x + f.beta, 0.0, 1.0);
    case ActivationKind::kElu:
      return x >= 0 ? x : f.alpha * std::expm1(x);
    case ActivationKind::kSoftsign:
      return x / (1 + std::fabs(x));
    case ActivationKind::kSoftplus:
      return (x < 0 ? 0 : x) + std::log1p(std::exp(-std::fabs(x)));
  }
  return x;
}

}  // namespace slipway
