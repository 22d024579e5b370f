// One number from one element type to another, with every case defined.
#pragma once

#include <type_traits>

#include "ops/types.h"

namespace slipway {

/// Floating point to integer cuts towards zero; NaN gives 0 and a value beyond the type its nearest end (ONNX leaves
/// both open). Integers wrap. Everything else is C++'s own conversion.
template <typename To, typename From>
[[nodiscard]] SLIPWAY_BOTH To convert(From x) noexcept {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To> && !std::is_same_v<To, bool>) {
    constexpr From kLow = static_cast<From>(kLeast<To>);
    // One above the type's maximum, a power of two and thus exact in From.
    constexpr From kHigh = static_cast<From>(kMost<To> / 2 + 1) * From{2};
    if (x != x) return 0;
    if (x <= kLow) return kLeast<To>;
    if (x >= kHigh) return kMost<To>;
  }
  return static_cast<To>(x);
}

/// Element i of an array of integers of any type.
[[nodiscard]] SLIPWAY_BOTH inline int64_t integer_at(const void* data, DType dtype, int64_t i) noexcept {
  switch (dtype) {
    case DType::kInt64:
      return static_cast<const int64_t*>(data)[i];
    case DType::kInt32:
      return static_cast<const int32_t*>(data)[i];
    case DType::kInt8:
      return static_cast<const int8_t*>(data)[i];
    default:
      return static_cast<const uint8_t*>(data)[i];
  }
}

}  // namespace slipway
