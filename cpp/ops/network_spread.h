// Transposed convolutions of a network: sums like those of convolutions, for one set of pixels after the other.
//
// Output q * stride + p of an axis, p < stride, is the sum over those taps of which p is the phase, each of the input
// at q plus the tap's shift (conv_transpose_phases.h). Outputs with the same taps are summed by one operation. Where
// most taps of outputs near the edges would meet nothing but zeros around a small input, sets hold the taps that meet
// the input, and there are more of them.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/network_items.h"
#include "ops/network_places.h"

namespace slipway {

/// Pixels that are summed over the same taps.
struct NetworkSpread {
  std::vector<int32_t> windows;  ///< what the shifts of a pixel's taps count from, group by group
  std::vector<int32_t> pixels;   ///< places of the pixels
  std::vector<int32_t> offsets;  ///< of the terms: all taps of channel 0, of channel 1, ...
  std::vector<int64_t> taps;     ///< of one channel: row of the kernel * columns + column
};

/// All sets of a transposed convolution; every pixel is in one of them.
[[nodiscard]] std::vector<NetworkSpread> spreads_of(const NetworkItem& item, const NetworkPlaces& places);

/// What they read beyond the edges of the input.
[[nodiscard]] NetworkBorder spread_reach(const NetworkItem& item);

}  // namespace slipway
