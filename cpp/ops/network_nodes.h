// The nodes of a network one after the other, each by its own kernel: what runs where no program can be made.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "ops/call.h"
#include "ops/network_operators.h"

namespace slipway {

/// Of an argument that is constant or absent.
inline constexpr int64_t kNoPlace = std::numeric_limits<int64_t>::min();

/// One node, with the places of its arguments: in scratch, or, below 0, -1 - the network's input.
struct NetworkNode {
  void (*kernel)(const OpCall&) noexcept = nullptr;
  std::shared_ptr<const void> prepared;
  std::vector<TensorView> inputs;  ///< data: of constants
  std::vector<MutableView> outputs;
  std::vector<int64_t> from;
  std::vector<int64_t> to;
};

struct NetworkResult {
  int64_t from;
  int64_t bytes;
};

struct NetworkNodes {
  std::vector<NetworkNode> list;
  std::vector<NetworkResult> results;
  std::vector<std::shared_ptr<const void>> uploads;  ///< that the views of constants point into, on a device
  int64_t scratch = 0;                               ///< of their values
  int64_t node_scratch = 0;                          ///< of the nodes, behind the values
};

/// One node with at most N inputs, and as many outputs; `address(place)` is where an argument is.
template <std::size_t N, typename Address>
void run_node(const OpCall& call, const NetworkNodes& nodes, const NetworkNode& node, const Address& address) noexcept {
  TensorView inputs[N];
  MutableView outputs[N];
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    inputs[i] = node.inputs[i];
    if (node.from[i] != kNoPlace) inputs[i].data = address(node.from[i]);
  }
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    outputs[i] = node.outputs[i];
    if (outputs[i].is_present()) outputs[i].data = call.scratch + node.to[i];
  }
  OpCall inner = call;
  inner.inputs = {inputs, node.inputs.size()};
  inner.outputs = {outputs, node.outputs.size()};
  inner.prepared = node.prepared.get();
  inner.scratch = call.scratch + nodes.scratch;
  node.kernel(inner);
}

/// `copy(to, from, bytes)` moves what leaves the network.
template <typename Copy>
void run_nodes(const OpCall& call, const NetworkNodes& nodes, const Copy& copy) noexcept {
  constexpr std::size_t kFew = 8;
  const auto address = [&](int64_t place) -> const void* {
    return place < 0 ? call.inputs[static_cast<std::size_t>(-1 - place)].data : call.scratch + place;
  };
  for (const NetworkNode& node : nodes.list) {
    const bool has_few = std::max(node.inputs.size(), node.outputs.size()) <= kFew;
    const auto run = has_few ? run_node<kFew, decltype(address)> : run_node<kMostNetworkArguments, decltype(address)>;
    run(call, nodes, node, address);
  }
  for (std::size_t i = 0; i < nodes.results.size(); ++i) {
    if (!call.has_output(i)) continue;
    copy(call.outputs[i].data, address(nodes.results[i].from), nodes.results[i].bytes);
  }
}

}  // namespace slipway
