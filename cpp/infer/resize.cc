// Compiled with -ffp-contract=off: a fused multiply-add would round differently from the definition.
#include "infer/resize.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace slipway::infer {

namespace {

/// What one output sample takes: weights of the input samples from `first` on, and their sum.
struct Window {
  int64_t first = 0;
  std::vector<double> weights;
  double sum = 0.0;
};

std::vector<Window> windows_for(int64_t old_size, int64_t new_size) {
  const double scale = static_cast<double>(old_size) / static_cast<double>(new_size);
  const double width = std::max(scale, 1.0);
  std::vector<Window> windows(static_cast<std::size_t>(new_size));
  for (int64_t i = 0; i < new_size; ++i) {
    Window& window = windows[static_cast<std::size_t>(i)];
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    window.first = std::max(int64_t{0}, static_cast<int64_t>(std::floor(centre - width + 0.5)));
    const int64_t last = std::min(old_size, static_cast<int64_t>(std::floor(centre + width + 0.5)));
    for (int64_t k = window.first; k < last; ++k) {
      const double weight = std::max(0.0, 1.0 - std::fabs((static_cast<double>(k) + 0.5 - centre) / width));
      window.weights.push_back(weight);
      window.sum += weight;
    }
  }
  return windows;
}

Plane resize_rows(const Plane& plane, int64_t width) {
  Plane out{plane.height, width, std::vector<uint8_t>(static_cast<std::size_t>(plane.height * width))};
  const std::vector<Window> windows = windows_for(plane.width, width);
  uint8_t* to = out.pixels.data();
  for (int64_t row = 0; row < plane.height; ++row) {
    for (const Window& window : windows) {
      const uint8_t* from = plane.pixels.data() + row * plane.width + window.first;
      double total = 0.0;
      for (const double weight : window.weights) total += weight * *from++;
      *to++ = static_cast<uint8_t>(std::floor(total / window.sum + 0.5));
    }
  }
  return out;
}

Plane transposed(const Plane& plane) {
  Plane out{plane.width, plane.height, std::vector<uint8_t>(plane.pixels.size())};
  for (int64_t row = 0; row < plane.height; ++row) {
    for (int64_t column = 0; column < plane.width; ++column) {
      out.pixels[static_cast<std::size_t>(column * plane.height + row)] =
          plane.pixels[static_cast<std::size_t>(row * plane.width + column)];
    }
  }
  return out;
}

}  // namespace

Plane resize(Plane plane, int64_t height, int64_t width) {
  if (plane.width != width) plane = resize_rows(plane, width);
  if (plane.height != height) plane = transposed(resize_rows(transposed(plane), height));
  return plane;
}

}  // namespace slipway::infer
