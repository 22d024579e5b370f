// Lists of element types, and the step from a type known at run time to one known when compiling.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "base/both.h"
#include "base/dtype.h"

namespace slipway {

template <typename... Ts>
struct Types {};

using Floats = Types<float, double>;
using WideNumbers = Types<float, double, int64_t, int32_t>;
using Numbers = Types<float, double, int64_t, int32_t, int8_t, uint8_t>;
using SignedNumbers = Types<float, double, int64_t, int32_t, int8_t>;
using AnyType = Types<float, double, int64_t, int32_t, int8_t, uint8_t, bool>;
using IndexTypes = Types<int64_t, int32_t>;
/// Types that share a way of being stored: what only moves elements needs no more than these.
using Storage = Types<float, double, int64_t, int32_t, uint8_t>;

/// The ends of a type, which are infinities in floating point. Variables, since code on a device calls no function of
/// the standard library.
template <typename T>
inline constexpr T kLeast =
    std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
template <typename T>
inline constexpr T kMost =
    std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();

/// Calls f.operator()<T>() with the T of the list that `dtype` names; nothing where it names none.
template <typename... Ts, typename F>
void dispatch(Types<Ts...>, DType dtype, const F& f) {
  (void)((dtype == kDTypeOf<Ts> && (f.template operator()<Ts>(), true)) || ...);
}

/// dispatch() over Storage: bytes are read as uint8_t, a bool of any bit pattern included.
template <typename F>
void dispatch_storage(DType dtype, const F& f) {
  const DType stored = size_of(dtype) == 1 ? DType::kUint8 : dtype;
  dispatch(Storage{}, stored, f);
}

/// Integer arithmetic that wraps as two's complement does; floating point as it is.
template <typename T>
[[nodiscard]] SLIPWAY_BOTH constexpr T wrap_add(T a, T b) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    return a + b;
  } else {
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
}
template <typename T>
[[nodiscard]] SLIPWAY_BOTH constexpr T wrap_subtract(T a, T b) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    return a - b;
  } else {
    return static_cast<T>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  }
}
template <typename T>
[[nodiscard]] SLIPWAY_BOTH constexpr T wrap_multiply(T a, T b) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    return a * b;
  } else {
    return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  }
}

}  // namespace slipway
