#include "ops/network_cut.h"

#include <algorithm>

#include "ops/network_cost.h"

namespace slipway {

namespace {

/// As many as make pixels enough of an image that has become one.
constexpr int64_t kMostSamples = 8;
/// Floats of weights behind the cut, at least.
constexpr int64_t kLeastWeights = int64_t{1} << 14;

}  // namespace

NetworkCut cut_of(const NetworkItems& items, int64_t lanes, int threads) {
  const int64_t blocks = std::max<int64_t>({(items.batch + kMostSamples - 1) / kMostSamples, threads, 1});
  NetworkCut cut{0, (items.batch + blocks - 1) / blocks};
  const auto floats_of = [&](int index) {
    if (index < 0) return int64_t{0};
    const NetworkValue& value = items.values[static_cast<std::size_t>(index)];
    return (value.channels + lanes - 1) / lanes * lanes * value.pixels();
  };
  int64_t weights = 0;
  for (std::size_t i = 0; i < items.list.size(); ++i) {
    const NetworkItem& item = items.list[i];
    if (item.kind == NetworkKind::kGather || item.out < 0) continue;
    const int64_t floats = floats_of(item.in) + floats_of(item.other) + floats_of(item.out);
    if (cut.samples * floats * 4 > near_bytes(lanes) / 2) {
      cut.first = i + 1;
      weights = 0;
    } else if (item.kind == NetworkKind::kSums || item.kind == NetworkKind::kSpread) {
      const NetworkValue& in = items.values[static_cast<std::size_t>(item.in)];
      weights += in.channels * item.window.taps() * items.values[static_cast<std::size_t>(item.out)].channels;
    }
  }
  return weights >= kLeastWeights ? cut : NetworkCut{};
}

}  // namespace slipway
