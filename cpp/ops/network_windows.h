// What the windows of a network's convolutions and poolings read, as places in a block's memory (network_places.h).
#pragma once

#include <cstdint>
#include <vector>

#include "ops/network_items.h"
#include "ops/network_places.h"

namespace slipway {

/// One window that sees all pixels; and at each pixel one that sees it alone.
[[nodiscard]] Window whole_window(const NetworkValue& from);
[[nodiscard]] Window single_taps(const NetworkValue& from);

/// The first element of the window of each pixel, or of each of `pool` by `pool` sums, group by group; it may lie in
/// the border.
[[nodiscard]] std::vector<int32_t> windows_of(const NetworkItem& item, const NetworkPlaces& places);

/// The taps of a window in channel `channel`, from its first element on, in ONNX's order.
[[nodiscard]] std::vector<int32_t> taps_of(const NetworkItem& item, const NetworkPlaces& places, int64_t channel);

/// Taps of one operation, at most, of a group of samples: whether there is a program must not depend on the batch.
inline constexpr int64_t kMostNetworkTaps = int64_t{1} << 22;

/// The taps of a pooling that exist: those of pixel i are [first[i], first[i + 1]).
struct NetworkPoolTaps {
  std::vector<int32_t> first{0};
  std::vector<int32_t> taps;
  std::vector<float> counts;  ///< what a mean divides by
};
/// Throws NetworkUnfit where they are very many.
[[nodiscard]] NetworkPoolTaps pool_taps_of(const NetworkItem& item, const NetworkPlaces& places);

}  // namespace slipway
