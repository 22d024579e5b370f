// The activation at the end of a fused operator: how a node names it, and what it means.
//
// Attribute `activation` is "relu", "leaky_relu", "sigmoid" or "tanh"; `activation_alpha` is the slope of "leaky_relu".
#pragma once

#include <cmath>

#include "ops/activation.h"
#include "ops/op.h"

namespace slipway {

/// kNone where the node has no attribute `activation`; Error(kUnsupported) where it names another.
[[nodiscard]] ActivationCall read_activation(const NodeReader& node);

/// The meaning; NaN stays NaN.
[[nodiscard]] inline double activate(const ActivationCall& call, double x) noexcept {
  switch (call.kind) {
    case Activation::kRelu:
      return x < 0.0 ? 0.0 : x;
    case Activation::kLeakyRelu:
      return x < 0.0 ? static_cast<double>(call.alpha) * x : x;
    case Activation::kSigmoid:
      return 1.0 / (1.0 + std::exp(-x));
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kNone:
      break;
  }
  return x;
}

}  // namespace slipway
