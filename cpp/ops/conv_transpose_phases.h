// How a transposed convolution over height and width is computed without products in between: every phase of the
// strides is a convolution of its own. For prepare (any instruction set) and for kernels, so nothing here is exported.
//
// Output q * stride + p of an axis, p < stride, reads input q + s for those taps t of which
// p + begin - t * dilation = s * stride: whatever q is, the same taps and the same shifts s. So of a copy of the input,
// zeros around it, the sums of all outputs of a phase are one product of its taps with shifts (simd/shifted.h), over
// places of which a few per row are computed in vain. The rows of the phases are then woven into each other.
#pragma once

#include <cstdint>

#include "ops/window.h"

namespace slipway {

/// Rows by columns of the strides, at most.
inline constexpr int64_t kMostTransposePhases = 16;

/// One phase of both axes.
struct TransposePhase {
  int64_t terms = 0;                 ///< channels times taps; may be 0
  int64_t begin = 0;                 ///< of its tiles, among those of a group
  const int32_t* offsets = nullptr;  ///< [terms]
};

struct TransposePhases {
  const float* packed = nullptr;  ///< for each group and phase, and each block of kGemmDepth terms, tiles (panels.h)
  TransposePhase phases[kMostTransposePhases];
  int64_t low[2] = {0, 0};    ///< the least shift along height and width
  int64_t reach[2] = {0, 0};  ///< from the least to the largest
  int64_t lines = 0;          ///< rows of places of an image
  int64_t rows = 0;           ///< of a band; the last one may have fewer
  int64_t bands = 0;          ///< of an image and group
  int64_t width = 0;          ///< of the copy
  int64_t source = 0;         ///< floats of the copy
  int64_t slots = 0;          ///< copies in scratch, for as many threads
  int64_t slot = 0;           ///< floats of a slot: the copy, sums of a row's phases, a vector

  /// Places of `count` rows, rounded up to whole panels.
  [[nodiscard]] constexpr int64_t places_of(int64_t count, int64_t lanes) const noexcept {
    return (count * width + 2 * lanes - 1) / (2 * lanes) * (2 * lanes);
  }
  /// Floats of a channel of the copy.
  [[nodiscard]] constexpr int64_t plane() const noexcept { return width * (rows + reach[0]); }
};

/// The shift of a tap in phase `p`; `fits` tells whether that phase has the tap.
struct TapShift {
  bool fits;
  int64_t shift;
};
[[nodiscard]] static constexpr TapShift tap_shift(const WindowAxis& axis, int64_t p, int64_t t) noexcept {
  const int64_t scaled = p + axis.begin - t * axis.dilation;
  const int64_t rest = (scaled % axis.stride + axis.stride) % axis.stride;
  return {rest == 0, (scaled - rest) / axis.stride};
}

}  // namespace slipway
