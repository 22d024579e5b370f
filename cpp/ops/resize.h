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

/// Most rows of x that the vector kernels make a row of y of: taps of three axes of linear ones, of two of cubic ones.
inline constexpr int kMostResizeSources = 16;

/// Resize of float32 as its vector kernels see it. A row of y, all places of the last axis, is a sum of rows of x that
/// have been resized along that axis.
struct ResizeRows {
  const ResizeAxis* outer = nullptr;  ///< the axes before the last
  int outer_axes = 0;
  const ResizeTap* table = nullptr;  ///< theirs
  int64_t rows = 1;                  ///< of y
  int sources = 1;                   ///< rows of x that one is made of, at most
  int64_t count = 0;                 ///< places of the last axis
  int64_t inner = 1;                 ///< elements of each
  int taps = 1;                      ///< of the last axis; tap k of place i stands at k * padded + i
  int64_t padded = 0;                ///< count, up to whole vectors
  const int32_t* from = nullptr;     ///< of one k, not falling
  const float* weight = nullptr;
  bool is_nearest = false;
  bool doubles = false;     ///< nearest, and place i of single numbers is number i / 2
  int64_t source = 0;       ///< elements of a row of x
  bool adds_first = false;  ///< rows of x are added up before they are resized: few are part of two rows of y
  int64_t slots = 1;        ///< threads that have scratch of their own

  [[nodiscard]] int64_t row() const noexcept { return count * inner; }
  [[nodiscard]] int64_t slot() const noexcept { return adds_first ? source : sources * row(); }
};

struct ResizePrepared {
  std::vector<ResizeAxis> axes;      ///< up to the last that is resized; between those, the others are merged
  const ResizeTap* table = nullptr;  ///< where the kernel can read it
  int64_t inner = 1;                 ///< elements side by side behind these axes
  bool is_nearest = false;
  const ResizeRows* rows = nullptr;  ///< for vector kernels; null where they leave it to the scalar one
};

/// Tap k of place `at`.
[[nodiscard]] SLIPWAY_BOTH inline ResizeTap tap_of(const ResizeAxis& axis, const ResizeTap* table, int64_t at,
                                                   int k) noexcept {
  if (axis.taps == 0) return {at * axis.stride, 1.0};
  return table[axis.first + at * axis.taps + k];
}

}  // namespace slipway
