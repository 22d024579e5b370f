// Resize in a network: pixels that are others, or sums of some of them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ops/network_items.h"
#include "ops/network_places.h"
#include "ops/network_windows.h"
#include "ops/resize.h"

namespace slipway {

/// The taps of each row and column of what it makes, `count` for each, by their numbers in the input.
struct NetworkResize {
  struct Axis {
    int count = 1;
    std::vector<ResizeTap> taps;
  };
  Axis rows;
  Axis columns;
  bool is_nearest = false;
};

/// Of a node with these facts. Throws NetworkUnfit where samples or channels are resized.
[[nodiscard]] std::shared_ptr<const NetworkResize> resize_of(const Node& node, const std::vector<Fact>& facts);

/// The pixel of the input that each pixel is, where it is the nearest.
[[nodiscard]] std::vector<int32_t> nearest_of(const NetworkItem& item, const NetworkPlaces& places);

/// The taps of each pixel, and in `counts` the weight of each tap. Throws NetworkUnfit where they are very many.
[[nodiscard]] NetworkPoolTaps blended_of(const NetworkItem& item, const NetworkPlaces& places);

}  // namespace slipway
