#include "ops/network_spread.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "ops/conv_transpose_phases.h"
#include "ops/window_rules.h"

namespace slipway {

namespace {

/// Sets of taps are cut at the edges where no larger part of all terms meets the input, and the sets together have no
/// more than so many times the taps of the kernel.
constexpr double kMostMet = 0.7;
constexpr std::size_t kMostCopies = 4;
/// Outputs of an axis, and what is listed of all pixels or terms.
constexpr int64_t kMostOutputs = int64_t{1} << 20;

struct Tap {
  int64_t tap;
  int64_t shift;

  [[nodiscard]] bool operator<(const Tap& other) const noexcept { return tap < other.tap; }
};

using TapSets = std::map<std::vector<Tap>, std::vector<int64_t>>;  // outputs, by what is summed

/// The outputs of an axis by their taps. Its input is the output of the transposed convolution (TransposeCall).
TapSets sets_of(const WindowAxis& axis) {
  require_fit(saturating_product(axis.input, axis.kernel / axis.stride + 1) <= kMostOutputs);
  // The taps of a phase are so many apart; where each begins.
  const int64_t step = axis.stride / std::gcd(axis.stride, axis.dilation);
  std::vector<int64_t> first_of(static_cast<std::size_t>(axis.stride), axis.kernel);
  for (int64_t t = std::min(step, axis.kernel) - 1; t >= 0; --t) {
    const int64_t phase = ((t * axis.dilation - axis.begin) % axis.stride + axis.stride) % axis.stride;
    first_of[static_cast<std::size_t>(phase)] = t;
  }
  TapSets whole;
  TapSets cut;
  int64_t terms = 0;
  int64_t met = 0;
  for (int64_t o = 0; o < axis.input; ++o) {
    std::vector<Tap> all;
    std::vector<Tap> inside;
    const int64_t first = first_of[static_cast<std::size_t>(o % axis.stride)];
    for (int64_t t = first; t < axis.kernel; t += step) {
      const TapShift tap = tap_shift(axis, o % axis.stride, t);
      const int64_t from = o / axis.stride + tap.shift;
      all.push_back({t, tap.shift});
      if (from >= 0 && from < axis.output) inside.push_back(all.back());
    }
    terms += static_cast<int64_t>(all.size());
    met += static_cast<int64_t>(inside.size());
    whole[std::move(all)].push_back(o);
    cut[std::move(inside)].push_back(o);
  }
  std::size_t copied = 0;
  for (const auto& [taps, outputs] : cut) copied += taps.size();
  const bool is_small = copied <= kMostCopies * static_cast<std::size_t>(axis.kernel);
  return is_small && static_cast<double>(met) <= kMostMet * static_cast<double>(terms) ? cut : whole;
}

/// What the sets of an axis read before its first input, and behind its last.
std::pair<int64_t, int64_t> reach_of(const WindowAxis& axis) {
  std::pair<int64_t, int64_t> reach{0, 0};
  for (const auto& [taps, outputs] : sets_of(axis)) {
    for (const Tap& tap : taps) {
      reach.first = std::max(reach.first, -(outputs.front() / axis.stride + tap.shift));
      reach.second = std::max(reach.second, outputs.back() / axis.stride + tap.shift - axis.output + 1);
    }
  }
  return reach;
}

}  // namespace

std::vector<NetworkSpread> spreads_of(const NetworkItem& item, const NetworkPlaces& places) {
  const NetworkRoot& in = places.root_of(item.in);
  const NetworkRoot& out = places.root_of(item.out);
  const NetworkSteps steps = places.steps_of(in);
  const auto& [d, h, w] = item.window.axes;
  std::vector<NetworkSpread> made;
  const TapSets across = sets_of(w);
  for (const auto& [rows, lines] : sets_of(h)) {
    for (const auto& [columns, points] : across) {
      NetworkSpread& spread = made.emplace_back();
      for (int64_t g = 0; g < places.groups(); ++g) {
        for (const int64_t y : lines) {
          for (const int64_t x : points) {
            spread.windows.push_back(places.pixel_at(in, g, 0, y / h.stride, x / w.stride));
            spread.pixels.push_back(places.pixel_at(out, g, 0, y, x));
          }
        }
      }
      for (int64_t c = 0; c < places.channels_of(item.in); ++c) {
        for (const Tap& row : rows) {
          for (const Tap& column : columns) {
            const int64_t shift = row.shift * steps.y + column.shift * steps.x;
            spread.offsets.push_back(static_cast<int32_t>(places.channel_at(item.in, c) + shift));
          }
        }
      }
      for (const Tap& row : rows) {
        for (const Tap& column : columns) spread.taps.push_back(row.tap * w.kernel + column.tap);
      }
    }
  }
  return made;
}

NetworkBorder spread_reach(const NetworkItem& item) {
  const auto [top, bottom] = reach_of(item.window.axes[1]);
  const auto [left, right] = reach_of(item.window.axes[2]);
  return {top, left, bottom, right};
}

}  // namespace slipway
