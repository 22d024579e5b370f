// Makes the stages of a network for its CUDA kernel (network_stage.h) from its graph, for concrete shapes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ops/network_stage.h"
#include "ops/op.h"

namespace slipway {

/// Stages with all that they point to.
struct OwnedNetworkStages final : NetworkStages {
  std::vector<NetworkStage> list;
  std::vector<std::shared_ptr<const DeviceMemory>> uploads;
  std::string note;  ///< what was chosen, and the count that decided
};

/// Null where an operator, an attribute or a layout of the graph is none that stages have, or where an image does not
/// fit a block's memory: that depends on shapes alone, not on the batch. `facts` are those of every value of `body`.
[[nodiscard]] std::shared_ptr<const OwnedNetworkStages> make_network_stages(const Graph& body,
                                                                            const std::vector<Fact>& facts,
                                                                            const Target& target);

}  // namespace slipway
