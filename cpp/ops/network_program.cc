#include "ops/network_program.h"

#include <algorithm>
#include <optional>

#include "ops/network_emitter.h"
#include "simd/panels.h"

namespace slipway {

namespace {

std::optional<NetworkItems> try_read(const Graph& body, const std::vector<Fact>& facts) {
  try {
    return read_network(body, facts);
  } catch (const NetworkUnfit&) {
    return std::nullopt;
  }
}

}  // namespace

std::shared_ptr<const OwnedNetworkProgram> make_network_program(const Graph& body, const std::vector<Fact>& facts,
                                                                const Target& target) {
  const Isa isa = target.isa;
  if (host_isa(isa) == Isa::kScalar) return nullptr;
  const std::optional<NetworkItems> items = try_read(body, facts);
  if (!items) return nullptr;
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
