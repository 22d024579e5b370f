// Resizing of 8-bit planes by the triangle filter of docs/bundle-format.md; the twin, to the last bit, of
// python/slipway/resize.py.
#pragma once

#include <cstdint>
#include <vector>

namespace slipway::infer {

/// One channel, row-major.
struct Plane {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint8_t> pixels;
};

/// Resizes along each row first, then along each column; values are rounded half up to 8 bits after each of the
/// two. A size that does not change is left alone.
[[nodiscard]] Plane resize(Plane plane, int64_t height, int64_t width);

}  // namespace slipway::infer
