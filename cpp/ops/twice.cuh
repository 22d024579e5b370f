// Sums and products of float64 that keep what rounding loses: twice the digits.
#pragma once

#include "ops/types.h"

namespace slipway::cuda {

/// high + low. Where high is not finite, low means nothing.
struct Twice {
  double high = 0;
  double low = 0;
};

/// Knuth, The Art of Computer Programming 2, section 4.2.2, theorem B.
[[nodiscard]] __device__ inline Twice add(Twice a, double b) {
  const double sum = a.high + b;
  const double part = sum - a.high;
  return {sum, a.low + ((a.high - (sum - part)) + (b - part))};
}
[[nodiscard]] __device__ inline Twice add(Twice a, Twice b) {
  const Twice sum = add(a, b.high);
  return {sum.high, sum.low + b.low};
}
[[nodiscard]] __device__ inline Twice multiply(Twice a, double b) {
  const double product = a.high * b;
  return {product, std::fma(a.high, b, -product) + a.low * b};
}
[[nodiscard]] __device__ inline Twice multiply(Twice a, Twice b) {
  const Twice product = multiply(a, b.high);
  return {product.high, product.low + a.high * b.low};
}
[[nodiscard]] __device__ inline double value_of(Twice x) {
  return std::abs(x.high) < kMost<double> ? x.high + x.low : x.high;
}

template <typename T>
[[nodiscard]] __device__ T add(T a, T b) {
  return wrap_add(a, b);
}
template <typename T>
[[nodiscard]] __device__ T multiply(T a, T b) {
  return wrap_multiply(a, b);
}
template <typename T>
[[nodiscard]] __device__ T value_of(T x) {
  return x;
}

/// What one element of a sum is computed in.
template <typename T>
using TermOf = std::conditional_t<std::is_floating_point_v<T>, double, T>;
/// What sums and products are kept in: twice the digits for floating point, the type itself for integers, which wrap.
template <typename T>
using SumOf = std::conditional_t<std::is_same_v<T, double>, Twice, TermOf<T>>;

}  // namespace slipway::cuda
