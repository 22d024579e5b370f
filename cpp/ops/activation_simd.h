// Activations of fused operators on rows of float32, for _simd.cc files.
#pragma once

#include "ops/activation.h"
#include "simd/math.h"

namespace slipway::SLIPWAY_ISA {

[[gnu::always_inline]] static inline Vec activate(const ActivationCall& call, Vec x) noexcept {
  switch (call.kind) {
    case Activation::kRelu:
      return max(x, broadcast(0.0f));
    case Activation::kLeakyRelu:
      return x < 0.0f ? x * broadcast(call.alpha) : x;
    case Activation::kSigmoid:
      return sigmoid(x);
    case Activation::kTanh:
      return tanh(x);
    case Activation::kHardSwish:
      return x * (min(max(x + 3.0f, broadcast(0.0f)), broadcast(6.0f)) * (1.0f / 6.0f));
    case Activation::kClip:
      return min(max(x, broadcast(call.alpha)), broadcast(call.beta));
    case Activation::kSilu:
      return x * sigmoid(x);
    case Activation::kNone:
      break;
  }
  return x;
}

/// Two at a time, which pays for what is a chain of many steps.
[[gnu::always_inline]] static inline Pair activate(const ActivationCall& call, const Pair& x) noexcept {
  switch (call.kind) {
    case Activation::kSigmoid:
      return sigmoid(x);
    case Activation::kTanh:
      return tanh(x);
    case Activation::kSilu:
      return x * sigmoid(x);
    default:
      return {activate(call, x.first), activate(call, x.second)};
  }
}

/// f(call), compiled for each kind, so that nothing is decided for each vector.
template <typename F>
[[gnu::always_inline]] inline void with_kind(const ActivationCall& call, const F& f) noexcept {
  const auto is = [&](Activation kind) { return ActivationCall{kind, call.alpha, call.beta}; };
  switch (call.kind) {
    case Activation::kRelu:
      return f(is(Activation::kRelu));
    case Activation::kLeakyRelu:
      return f(is(Activation::kLeakyRelu));
    case Activation::kSigmoid:
      return f(is(Activation::kSigmoid));
    case Activation::kTanh:
      return f(is(Activation::kTanh));
    case Activation::kHardSwish:
      return f(is(Activation::kHardSwish));
    case Activation::kClip:
      return f(is(Activation::kClip));
    case Activation::kSilu:
      return f(is(Activation::kSilu));
    case Activation::kNone:
      return f(ActivationCall{});
  }
}

/// y = f(y) for `count` elements.
[[maybe_unused]] static void activate_row(const ActivationCall& call, float* y, int64_t count) noexcept {
  if (call.kind == Activation::kNone) return;
  int64_t i = 0;
  for (; i + 2 * kLanes <= count; i += 2 * kLanes) store(y + i, activate(call, load_pair(y + i)));
  for (; i + kLanes <= count; i += kLanes) store(y + i, activate(call, load(y + i)));
  if (i < count) store_first(y + i, activate(call, load_first(y + i, count - i)), count - i);
}

}  // namespace slipway::SLIPWAY_ISA
