// Resize as its kernels see it: for every place of y along an axis, the places of x it is made of.
#pragma once

#include <cstdint>
#include <vector>

#include "base/both.h"

namespace slipway {

/// A part of an output place: weight * x[from], `from` in elements. A weight of 0 takes nothing, not even from
/// infinity.
struct ResizeTap {
  int64_t from = 0;
  double weight = 1.0;
};

/// One axis of y.
struct ResizeAxis {
  int64_t count = 1;   ///< places of y
  int64_t stride = 1;  ///< elements of x from place to place, where the axis is not resized
  int64_t first = 0;   ///< of its taps in the table
  int taps = 0;        ///< per place; 0 where the axis is not resized
};

struct ResizePrepared {
  std::vector<ResizeAxis> axes;      ///< up to the last that is resized; between those, the others are merged
  const ResizeTap* table = nullptr;  ///< where the kernel can read it
  int64_t inner = 1;                 ///< elements side by side behind these axes
  bool is_nearest = false;
};

/// Tap k of place `at`.
[[nodiscard]] SLIPWAY_BOTH inline ResizeTap tap_of(const ResizeAxis& axis, const ResizeTap* table, int64_t at,
                                                   int k) noexcept {
  if (axis.taps == 0) return {at * axis.stride, 1.0};
  return table[axis.first + at * axis.taps + k];
}

}  // namespace slipway
