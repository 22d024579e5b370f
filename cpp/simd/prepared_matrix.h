// The B of a product as it was prepared once, in one form or in none.
#pragma once

#include <cstdint>

#include "simd/small_weights.h"

namespace slipway {

/// Where there is no form, every call packs panels into its scratch.
struct PreparedMatrix {
  const float* panels = nullptr;    ///< (simd/panels.h); of a stack, one matrix behind the other
  const uint16_t* split = nullptr;  ///< blocks of columns (simd/split.h)
  SmallWeights small;               ///< panels of fewer bytes

  [[nodiscard]] constexpr explicit operator bool() const noexcept {
    return panels != nullptr || split != nullptr || static_cast<bool>(small);
  }
};

}  // namespace slipway
