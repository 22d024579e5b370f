// One number from one element type to another, with every case defined.
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

namespace slipway {

/// Floating point to integer cuts towards zero; NaN gives 0 and a value beyond the type its nearest end (ONNX leaves
/// both open). Integers wrap. Everything else is C++'s own conversion.
template <typename To, typename From>
[[nodiscard]] To convert(From x) noexcept {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To> && !std::is_same_v<To, bool>) {
    // The upper bound is one above the type's maximum, a power of two and thus exact in From.
    constexpr From kLow = static_cast<From>(std::numeric_limits<To>::min());
    const From high = std::ldexp(From{1}, std::numeric_limits<To>::digits);
    if (x != x) return 0;
    if (x <= kLow) return std::numeric_limits<To>::min();
    if (x >= high) return std::numeric_limits<To>::max();
  }
  return static_cast<To>(x);
}

}  // namespace slipway
