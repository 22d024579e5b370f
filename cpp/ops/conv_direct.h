// How a convolution over height and width is computed without im2col: a band of output rows at a time, from a copy of
// the inputs that it reads, padding included, in which every tap is a shift. For prepare (any instruction set) and for
// kernels, so nothing here is exported.
//
// The copy holds, for each channel, one plane per phase of the strides: plane (i, j) has the padded input's rows
// i, i + stride, ... and of these the columns j, j + stride, ... An output at row r and column c is then at place
// r * width + c of a plane, and what tap t reads for it lies offsets[t] further, whatever r and c are. So the sums of
// all places from the band's first output to its last are one product, in which a few places per row, between its last
// output and the next row, are computed in vain.
#pragma once

#include <cstdint>

#include "ops/window.h"

namespace slipway {

struct DirectConv {
  int64_t rows = 0;    ///< output rows of a band; the last one may have fewer
  int64_t bands = 0;   ///< of an image and group
  int64_t width = 0;   ///< of a plane
  int64_t height = 0;  ///< of a plane of a whole band
  int64_t phases[2] = {1, 1};
  int64_t places = 0;                ///< of a whole band, places_of(rows)
  int64_t source = 0;                ///< floats of the copy
  int64_t slots = 0;                 ///< copies in scratch, for as many threads
  int64_t slot = 0;                  ///< floats of a slot: the copy, sums [outputs, places], a vector
  const int32_t* offsets = nullptr;  ///< [channels, kernel height, kernel width]

  /// Places of `count` rows of outputs, rounded up to whole panels.
  [[nodiscard]] constexpr int64_t places_of(int64_t count, int64_t lanes) const noexcept {
    return (count * width + 2 * lanes - 1) / (2 * lanes) * (2 * lanes);
  }
  [[nodiscard]] constexpr int64_t plane() const noexcept { return width * height; }
};

/// Phases of an axis that some tap reads are those p for which a tap has t * dilation % stride == p.
[[nodiscard]] static constexpr bool reads_phase(const WindowAxis& axis, int64_t phase) noexcept {
  for (int64_t t = 0; t < axis.kernel && t < axis.stride; ++t) {
    if (t * axis.dilation % axis.stride == phase) return true;
  }
  return false;
}

/// Places of a plane along an axis that the last tap of one output lies further than the first.
[[nodiscard]] static constexpr int64_t reach(const WindowAxis& axis) noexcept {
  return (axis.kernel - 1) * axis.dilation / axis.stride;
}

}  // namespace slipway
