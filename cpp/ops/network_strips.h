// Convolutions in strips: where an input's pixels lie beside each other and there are fewer channels than lanes, the
// lanes of the sums are pixels; afterwards they are turned into channels (network.h).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ops/network_items.h"

namespace slipway {

class NetworkPlaces;

/// A NetworkStrips with all that it points to, but for weights.
struct OwnedNetworkStrips final : NetworkStrips {
  std::vector<std::vector<int32_t>> places;
  int64_t work = 0;  ///< as NetworkProgram::work
};

/// Strips that do the work of `op`, a kSums whose lanes are channels, where that is less than `work`; null where it is
/// not, or cannot be. `op` becomes theirs then, in its kind, `pixels`, `out` and `in`. The bits are the same.
[[nodiscard]] std::shared_ptr<OwnedNetworkStrips> make_strips(const NetworkItem& item, const NetworkPlaces& places,
                                                              int64_t channels, int64_t lanes, int64_t work,
                                                              NetworkOp& op);

}  // namespace slipway
