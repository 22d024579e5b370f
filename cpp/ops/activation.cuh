// The activation at the end of a fused operator, on the device.
#pragma once

#include "cuda/primitives.cuh"
#include "ops/activation.h"

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
    case Activation::kNone:
      break;
  }
  return x;
}

[[nodiscard]] __device__ __forceinline__ double activate(const ActivationCall& call, double x) {
  switch (call.kind) {
    case Activation::kRelu:
      return x < 0.0 ? 0.0 : x;
    case Activation::kLeakyRelu:
      return x < 0.0 ? static_cast<double>(call.alpha) * x : x;
    case Activation::kSigmoid:
      return 1.0 / (1.0 + exp(-x));
    case Activation::kTanh:
      return tanh(x);
    case Activation::kNone:
      break;
  }
  return x;
}

}  // namespace slipway::cuda
