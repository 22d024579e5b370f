#include "ops/network_windows.h"

#include "ops/window_rules.h"

namespace slipway {

std::vector<int32_t> windows_of(const NetworkItem& item, const NetworkPlaces& places) {
  const NetworkRoot& in = places.root_of(item.in);
  const NetworkRoot& out = places.root_of(item.out);
  const auto& [d, h, w] = item.window.axes;
  std::vector<int32_t> pixels;
  for (int64_t g = 0; g < places.groups(); ++g) {
    for (int64_t y = 0; y < out.height; ++y) {
      for (int64_t x = 0; x < out.width; ++x) {
        for (int64_t k = 0; k < item.pool * item.pool; ++k) {
          const int64_t row = y * item.pool + k / item.pool;
          const int64_t column = x * item.pool + k % item.pool;
          pixels.push_back(places.pixel_at(in, g, row * h.stride - h.begin, column * w.stride - w.begin));
        }
      }
    }
  }
  return pixels;
}

std::vector<int32_t> taps_of(const NetworkItem& item, const NetworkPlaces& places, int64_t channel) {
  const NetworkSteps steps = places.steps_of(places.root_of(item.in));
  const auto& [d, h, w] = item.window.axes;
  const int64_t start = places.channel_at(item.in, channel);
  std::vector<int32_t> taps;
  for (int64_t i = 0; i < h.kernel; ++i) {
    for (int64_t j = 0; j < w.kernel; ++j) {
      taps.push_back(static_cast<int32_t>(start + i * h.dilation * steps.y + j * w.dilation * steps.x));
    }
  }
  return taps;
}

NetworkPoolTaps pool_taps_of(const NetworkItem& item, const NetworkPlaces& places) {
  const NetworkRoot& in = places.root_of(item.in);
  const auto& [d, h, w] = item.window.axes;
  require_fit(saturating_product(h.output * w.output, h.kernel * w.kernel, places.groups()) <= kMostNetworkTaps);
  NetworkPoolTaps made;
  for (int64_t g = 0; g < places.groups(); ++g) {
    for (int64_t y = 0; y < h.output; ++y) {
      for (int64_t x = 0; x < w.output; ++x) {
        const Taps rows = taps_within(h, y, h.input);
        const Taps columns = taps_within(w, x, w.input);
        for (int64_t i = rows.begin; i < rows.end; ++i) {
          for (int64_t j = columns.begin; j < columns.end; ++j) {
            made.taps.push_back(places.pixel_at(in, g, y * h.stride - h.begin + i * h.dilation,
                                                x * w.stride - w.begin + j * w.dilation));
          }
        }
        // What counts beside the input is the padding, but not what lies behind it.
        const Taps padded_rows = taps_within(h, y, h.input + h.end);
        const Taps padded_columns = taps_within(w, x, w.input + w.end);
        const auto count = item.counts_padding ? padded_rows.end * padded_columns.end
                                               : static_cast<int64_t>(made.taps.size()) - made.first.back();
        made.counts.push_back(static_cast<float>(count));
        made.first.push_back(static_cast<int32_t>(made.taps.size()));
      }
    }
  }
  return made;
}

}  // namespace slipway
