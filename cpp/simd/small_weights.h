// Weights of fewer bytes than float32, as kernels read them: each becomes the very float32 that it stands for.
#pragma once

#include <cstdint>

namespace slipway {

/// Products of more rows are bound by arithmetic, which unpacking would only slow down.
inline constexpr int64_t kMostSmallRows = 4;

/// One of both, or neither; in the order of panels.
struct SmallWeights {
  const uint16_t* bfloat16 = nullptr;
  const int8_t* int8 = nullptr;
  const float* scales = nullptr;  ///< of int8, one per column, padded as panels are

  [[nodiscard]] constexpr explicit operator bool() const noexcept { return bfloat16 != nullptr || int8 != nullptr; }
};

}  // namespace slipway
