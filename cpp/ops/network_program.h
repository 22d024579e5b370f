// Makes the program of a network (network.h) from its graph, for concrete shapes.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "ops/network.h"
#include "ops/network_nodes.h"
#include "ops/network_strips.h"
#include "ops/network_winograd.h"
#include "ops/op.h"

namespace slipway {

/// A program with all that it points to.
struct OwnedNetworkProgram final : NetworkProgram {
  std::vector<NetworkOp> list;
  std::vector<std::vector<int32_t>> places;
  std::vector<std::vector<float>> numbers;
  std::vector<std::shared_ptr<const Tensor>> weights;
  std::vector<std::shared_ptr<OwnedNetworkWinograd>> winograds;
  std::vector<std::shared_ptr<OwnedNetworkStrips>> strips;
};

/// The faster of both layouts by counted work on the target's threads, for float32 [N, C, H, W] and [N, C]; null where
/// an operator, an attribute or a layout of the graph is none that programs have. `facts` are those of every value of
/// `body`, concrete.
[[nodiscard]] std::shared_ptr<const OwnedNetworkProgram> make_network_program(const Graph& body,
                                                                              const std::vector<Fact>& facts,
                                                                              const Target& target);

/// The nodes, for the kernels of one column or a device.
[[nodiscard]] NetworkNodes prepare_network_nodes(const Graph& body, const std::vector<Fact>& facts,
                                                 const Target& target);

/// The facts of these values; null for one that is absent.
[[nodiscard]] std::vector<const Fact*> network_facts_of(const std::vector<ValueId>& ids,
                                                        const std::vector<Fact>& facts);

/// Layout, block and operations, for the plan's text: whole lines.
[[nodiscard]] std::string text_of(const NetworkProgram& program);

}  // namespace slipway
