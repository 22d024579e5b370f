// The activation at the end of a fused operator, on the device in float32; activation_meaning.h has it in double.
#pragma once

#include "cuda/primitives.cuh"
#include "ops/activation_meaning.h"

namespace slipway::cuda {

/// 1 / (1 + e^-x) to a few units in the last place, also where it is tiny: no power overflows.
[[nodiscard]] __device__ __forceinline__ float sigmoid_exact(float x) {
  const float e = expf(-fabsf(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/// NaN stays NaN.
[[nodiscard]] __device__ __forceinline__ float activate(const ActivationCall& call, float x) {
  switch (call.kind) {
    case Activation::kRelu:
      return x < 0.0f ? 0.0f : x;
    case Activation::kLeakyRelu:
      return x < 0.0f ? call.alpha * x : x;
    case Activation::kSigmoid:
      return sigmoid_exact(x);
    case Activation::kTanh:
      return tanh_fast(x);
    case Activation::kHardSwish: {
      const float raised = x + 3.0f;
      return x * ((raised < 0.0f ? 0.0f : raised > 6.0f ? 6.0f : raised) / 6.0f);
    }
    case Activation::kClip: {
      const float raised = x < call.alpha ? call.alpha : x;
      return raised > call.beta ? call.beta : raised;
    }
    case Activation::kSilu:
      return x * sigmoid_exact(x);
    case Activation::kNone:
      break;
  }
  return x;
}

}  // namespace slipway::cuda
