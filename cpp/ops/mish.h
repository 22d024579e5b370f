// What Mish means, on the host and on a CUDA device.
#pragma once

#include <cmath>
#include <type_traits>

#include "base/both.h"

namespace slipway {

/// x tanh(log(1 + e^x)) as a quotient of polynomials of e^x, or of e^-x above zero: nothing overflows or cancels.
/// With u = e^x the hyperbolic tangent is ((1 + u)^2 - 1) / ((1 + u)^2 + 1).
template <typename T>
[[nodiscard]] SLIPWAY_BOTH inline T mish_of(T x) noexcept {
  // Below this u has few digits or none, its root has all; and the quotient is u.
  constexpr T kLeast = std::is_same_v<T, float> ? T{-80} : T{-700};
  if (x > 0) {
    const T v = std::exp(-x);
    const T part = 1 + 2 * v;
    return x * (part / (part + 2 * v * v));
  }
  if (x < kLeast) {
    const T root = std::exp(x / 2);
    return x * root * root;
  }
  const T u = std::exp(x);
  const T product = u * (u + 2);
  return x * (product / (product + 2));
}

}  // namespace slipway
