#include "ops/network_program.h"

#include <algorithm>
#include <optional>

#include "ops/network_emitter.h"
#include "ops/network_nest.h"
#include "simd/panels.h"

namespace slipway {

namespace {

std::optional<NetworkItems> try_read(const Graph& body, const std::vector<Fact>& facts) {
  try {
    NetworkItems items = read_network(body, facts);
    nest_concats(items);
    return items;
  } catch (const NetworkUnfit&) {
    return std::nullopt;
  }
}

/// Pixels of an image that fill vectors of single operators.
constexpr int64_t kManyPixels = 64;

/// False where most lanes would be empty: images of few channels, whose pixels are the lanes of single operators. It
/// follows from a sample's shapes alone, since single operators have other bits. What reads the network's input needs
/// few lanes (network_strips.h).
bool fills_lanes(const NetworkItems& items, int64_t lanes) {
  double used = 0;
  double taken = 0;
  for (const NetworkItem& item : items.list) {
    if (!sums_windows(item.kind) || item.out < 0) continue;
    const bool reads_input = std::any_of(items.list.begin(), items.list.end(), [&](const NetworkItem& other) {
      return other.kind == NetworkKind::kCopy && other.out == item.in;
    });
    const NetworkValue& in = items.values[static_cast<std::size_t>(item.in)];
    const NetworkValue& out = items.values[static_cast<std::size_t>(item.out)];
    const int64_t pixels = out.pixels() * item.pool * item.pool;
    const bool has_groups = item.kind == NetworkKind::kDepthwise || item.kind == NetworkKind::kGrouped;
    if (!has_groups && reads_input) continue;
    const auto terms = static_cast<double>(item.window.taps() * (has_groups ? item.fellows : in.channels));
    const int64_t padded = (out.channels + lanes - 1) / lanes * lanes;
    taken += terms * static_cast<double>(pixels * padded);
    used += terms * static_cast<double>(pixels * (pixels < kManyPixels ? padded : out.channels));
  }
  constexpr double kLeastUsed = 0.3;
  return used >= kLeastUsed * taken;
}

}  // namespace

std::shared_ptr<const OwnedNetworkProgram> make_network_program(const Graph& body, const std::vector<Fact>& facts,
                                                                const Target& target) {
  const Isa isa = target.isa;
  if (host_isa(isa) == Isa::kScalar) return nullptr;
  const std::optional<NetworkItems> items = try_read(body, facts);
  if (!items || !fills_lanes(*items, lanes_of(isa))) return nullptr;
  std::vector<NetworkEmitter> layouts;
  layouts.reserve(3);
  const auto add_layout = [&](bool has_sample_lanes, const NetworkCut& cut) {
    try {
      layouts.emplace_back(*items, facts, isa, has_sample_lanes, cut);
    } catch (const NetworkUnfit&) {
      // Another one may fit.
    }
  };
  add_layout(false, {});
  const NetworkCut cut = cut_of(*items, lanes_of(isa), target.threads);
  if (cut.samples > 1) add_layout(false, cut);
  add_layout(true, {});
  if (layouts.empty()) return nullptr;
  const auto is_faster = [&](const NetworkEmitter& a, const NetworkEmitter& b) {
    return a.cost(target.threads) < b.cost(target.threads);
  };
  return std::min_element(layouts.begin(), layouts.end(), is_faster)->finish();
}

}  // namespace slipway
