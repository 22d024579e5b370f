// The gates of GRU, LSTM and RNN, several of them with one division.
//
// With u = e^-x, sigmoid(x) = 1 / (1 + u); with m = e^2x - 1, tanh(x) = m / (m + 2). Arguments are bounded where the
// result is within 1e-13 of its limit, so that products of three denominators stay finite. NaN stays NaN.
#pragma once

#include "simd/math.h"

namespace slipway::SLIPWAY_ISA {

/// 1 + e^-x.
[[gnu::always_inline]] static inline Vec sigmoid_denominator(Vec x) noexcept {
  const auto e = split_exp(max(min(-x, broadcast(30.0f)), broadcast(-30.0f)));
  const Vec power = e.power();
  return fma(power, e.s, power) + broadcast(1.0f);
}

/// e^2x - 1.
[[gnu::always_inline]] static inline Vec tanh_numerator(Vec x) noexcept {
  return joined_less_one(split_exp(max(min(x + x, broadcast(20.0f)), broadcast(-20.0f))));
}

[[gnu::always_inline]] static inline Vec gate_sigmoid(Vec x) noexcept { return reciprocal(sigmoid_denominator(x)); }

[[gnu::always_inline]] static inline Vec gate_tanh(Vec x) noexcept {
  const Vec m = tanh_numerator(x);
  return m * reciprocal(m + broadcast(2.0f));
}

/// (1 - z) n + z h with z = sigmoid(x), n = tanh(y).
[[gnu::always_inline]] static inline Vec mix(Vec x, Vec y, Vec h) noexcept {
  const Vec z = sigmoid_denominator(x);
  const Vec m = tanh_numerator(y);
  const Vec n = m + broadcast(2.0f);
  const Vec both = reciprocal(z * n);
  const Vec tanh_y = m * z * both;
  return fma(n * both, h - tanh_y, tanh_y);
}

/// sigmoid(x) tanh(y).
[[gnu::always_inline]] static inline Vec sigmoid_times_tanh(Vec x, Vec y) noexcept {
  const Vec m = tanh_numerator(y);
  return m * reciprocal(sigmoid_denominator(x) * (m + broadcast(2.0f)));
}

/// sigmoid(f) c + sigmoid(i) tanh(g).
[[gnu::always_inline]] static inline Vec next_cell(Vec i, Vec f, Vec g, Vec c) noexcept {
  const Vec m = tanh_numerator(g);
  const Vec added = sigmoid_denominator(i) * (m + broadcast(2.0f));
  const Vec forget = sigmoid_denominator(f);
  const Vec both = reciprocal(added * forget);
  return fma(added * both, c, m * forget * both);
}

}  // namespace slipway::SLIPWAY_ISA
