// Mean and biased variance of a row, in double and two passes.
#pragma once

#include <cstdint>

namespace slipway {

struct Moments {
  double mean;
  double variance;
};

/// Both NaN where `size` is 0.
template <typename T>
[[nodiscard]] Moments moments_of(const T* x, int64_t size) noexcept {
  double sum = 0.0;
  for (int64_t i = 0; i < size; ++i) sum += static_cast<double>(x[i]);
  const double mean = sum / static_cast<double>(size);
  double squares = 0.0;
  for (int64_t i = 0; i < size; ++i) {
    const double distance = static_cast<double>(x[i]) - mean;
    squares += distance * distance;
  }
  return {mean, squares / static_cast<double>(size)};
}

}  // namespace slipway
