// Integer powers, on the host and on a CUDA device.
#pragma once

#include <cstdint>

#include "ops/types.h"

namespace slipway {

/// base ^ exponent, wrapping; below zero what 1 / base^-exponent is when cut. 1 / 0 is what report() returns.
template <typename T, typename F>
[[nodiscard]] SLIPWAY_BOTH T integer_power(T base, int64_t exponent, const F& report) noexcept {
  if (exponent < 0) {
    if (base == 0) return report();
    if (base == 1) return 1;
    if (base == -1) return exponent % 2 == 0 ? T{1} : T{-1};
    return 0;
  }
  T result = 1;
  for (; exponent > 0; exponent /= 2, base = wrap_multiply(base, base)) {
    if (exponent % 2 == 1) result = wrap_multiply(result, base);
  }
  return result;
}

}  // namespace slipway
