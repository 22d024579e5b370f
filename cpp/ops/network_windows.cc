#include "ops/network_windows.h"

#include <utility>

#include "ops/window_rules.h"

namespace slipway {

namespace {

/// The input that tap `t` of output `o` reads.
int64_t place_of(const WindowAxis& axis, int64_t o, int64_t t) {
  return o * axis.stride - axis.begin + t * axis.dilation;
}

}  // namespace

Window single_taps(const NetworkValue& from) {
  Window window;
  window.axes[0].input = window.axes[0].output = from.depth;
  window.axes[1].input = window.axes[1].output = from.height;
  window.axes[2].input = window.axes[2].output = from.width;
  return window;
}

Window whole_window(const NetworkValue& from) {
  Window window = single_taps(from);
  for (WindowAxis& axis : window.axes) std::swap(axis.kernel, axis.output);
  return window;
}

std::vector<int32_t> windows_of(const NetworkItem& item, const NetworkPlaces& places) {
  const NetworkRoot& in = places.root_of(item.in);
  const NetworkRoot& out = places.root_of(item.out);
  const auto& [d, h, w] = item.window.axes;
  std::vector<int32_t> pixels;
  for (int64_t g = 0; g < places.groups(); ++g) {
    for (int64_t i = 0; i < out.depth * out.height; ++i) {
      const int64_t plane = i / out.height * d.stride - d.begin;
      for (int64_t x = 0; x < out.width; ++x) {
        for (int64_t k = 0; k < item.pool * item.pool; ++k) {
          const int64_t row = i % out.height * item.pool + k / item.pool;
          const int64_t column = x * item.pool + k % item.pool;
          pixels.push_back(places.pixel_at(in, g, plane, row * h.stride - h.begin, column * w.stride - w.begin));
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
  for (int64_t i = 0; i < d.kernel * h.kernel; ++i) {
    const int64_t row = start + i / h.kernel * d.dilation * steps.z + i % h.kernel * h.dilation * steps.y;
    for (int64_t j = 0; j < w.kernel; ++j) taps.push_back(static_cast<int32_t>(row + j * w.dilation * steps.x));
  }
  return taps;
}

NetworkPoolTaps pool_taps_of(const NetworkItem& item, const NetworkPlaces& places) {
  const NetworkRoot& in = places.root_of(item.in);
  const auto& [d, h, w] = item.window.axes;
  const int64_t outputs = saturating_product(d.output, h.output, w.output);
  const int64_t taps = saturating_product(d.kernel, h.kernel, w.kernel);
  require_fit(saturating_product(outputs, taps) <= kMostNetworkTaps);
  NetworkPoolTaps made;
  for (int64_t g = 0; g < places.groups(); ++g) {
    for (int64_t o = 0; o < outputs; ++o) {
      const int64_t z = o / w.output / h.output;
      const int64_t y = o / w.output % h.output;
      const int64_t x = o % w.output;
      const Taps planes = taps_within(d, z, d.input);
      const Taps rows = taps_within(h, y, h.input);
      const Taps columns = taps_within(w, x, w.input);
      for (int64_t k = planes.begin; k < planes.end; ++k) {
        for (int64_t i = rows.begin; i < rows.end; ++i) {
          for (int64_t j = columns.begin; j < columns.end; ++j) {
            made.taps.push_back(places.pixel_at(in, g, place_of(d, z, k), place_of(h, y, i), place_of(w, x, j)));
          }
        }
      }
      // What counts beside the input is the padding, but not what lies behind it.
      const auto padded = [](const WindowAxis& axis, int64_t at) {
        return taps_within(axis, at, axis.input + axis.end).end;
      };
      const auto count = item.counts_padding ? padded(d, z) * padded(h, y) * padded(w, x)
                                             : static_cast<int64_t>(made.taps.size()) - made.first.back();
      made.counts.push_back(static_cast<float>(count));
      made.first.push_back(static_cast<int32_t>(made.taps.size()));
    }
  }
  return made;
}

}  // namespace slipway
