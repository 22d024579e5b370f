// BatchNormalization as kernels see it.
#pragma once

#include "ops/call.h"

namespace slipway {

struct BatchNormalizationCall {
  int64_t batch = 0;
  int64_t channels = 0;
  int64_t size = 0;  ///< elements of one channel of one image
  double epsilon = 0.0;
  const float* merged = nullptr;  ///< merge_statistics() of constants, or null
  bool merges = false;            ///< every call has scratch for merge_statistics() of its own
};

/// y = factor * x + shift: [2, channels] from scale, b, mean and variance. False where a number is not finite: then
/// only the whole formula says what comes out.
[[maybe_unused]] static bool merge_statistics(const BatchNormalizationCall& norm, const float* const (&parts)[4],
                                              float* merged) noexcept {
  for (int64_t c = 0; c < norm.channels; ++c) {
    const double factor = parts[0][c] / __builtin_sqrt(parts[3][c] + norm.epsilon);
    merged[c] = static_cast<float>(factor);
    merged[norm.channels + c] = static_cast<float>(parts[1][c] - parts[2][c] * factor);
    if (!__builtin_isfinite(merged[c]) || !__builtin_isfinite(merged[norm.channels + c])) return false;
  }
  return true;
}

namespace scalar {
/// The meaning; the vector kernel leaves other types than float32, and infinite factors, to it.
void batch_normalization(const OpCall& call) noexcept;
}  // namespace scalar

}  // namespace slipway
