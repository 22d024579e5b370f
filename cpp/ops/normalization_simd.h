// Rows of float32 that are given mean 0 and variance 1.
#pragma once

#include "ops/normalization.h"
#include "simd/wide.h"

namespace slipway::SLIPWAY_ISA {
namespace {

constexpr int64_t kNormalsPerNanosecond = 3;

struct Normal {
  double mean;
  double factor;  ///< 1 / sqrt(variance + epsilon)
};

/// In double, and in one pass: of distances from a number of the row, whose distance from the mean is at most
/// sqrt(size) deviations, the sum of squares cancels no more than `size` roundings of double. `size` is not 0.
[[nodiscard, gnu::always_inline]] inline Normal normal_of(const float* x, int64_t size, double epsilon) noexcept {
  const double count = static_cast<double>(size);
  const double base = __builtin_isfinite(x[0]) ? static_cast<double>(x[0]) : 0.0;
  const WideSums sums = wide_sums(x, size, [&](Wide v) { return v - base; });
  const double distance = sums.sum / count;
  const double variance = sums.squares / count - distance * distance;
  return {base + distance, 1.0 / __builtin_sqrt((variance < 0.0 ? 0.0 : variance) + epsilon)};
}

/// y[i] = put(normal form of x[i...], i, lanes), whose last vector may have fewer lanes than kLanes.
template <typename Form, typename Put>
[[gnu::always_inline]] inline void put_forms(const float* x, int64_t size, const Form& form, const Put& put,
                                             float* y) noexcept {
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) store(y + i, put(form(load(x + i)), i, kLanes));
  if (i < size) store_first(y + i, put(form(load_first(x + i, size - i)), i, size - i), size - i);
}

/// The same of a row and what normal_of() says of it.
template <typename Put>
[[gnu::always_inline]] inline void put_normal(const Normal& normal, const float* x, int64_t size, const Put& put,
                                              float* y) noexcept {
  if (normal.factor > 0x1p-60 && normal.factor < 0x1p60) {
    // The mean in two parts: numbers next to each other keep the digits in which they differ.
    const Vec high = broadcast(static_cast<float>(normal.mean));
    const Vec low = broadcast(static_cast<float>(normal.mean - static_cast<double>(high[0])));
    const Vec factor = broadcast(static_cast<float>(normal.factor));
    return put_forms(x, size, [&](Vec v) { return ((v - high) - low) * factor; }, put, y);
  }
  const auto form = [&](Wide v) { return (v - normal.mean) * normal.factor; };
  put_forms(x, size, [&](Vec v) { return narrow(form(widen_low(v)), form(widen_high(v))); }, put, y);
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA
