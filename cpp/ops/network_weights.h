// Packs the weights of a network's program (network_program.h) in the way that its layout reads them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ops/network_program.h"

namespace slipway {

/// Each node's weights are packed once for an instruction set and layout, and kept in the node's cache; `program` keeps
/// what it uses.
class NetworkPacker final {
 public:
  NetworkPacker(const std::vector<Fact>& facts, Isa isa, OwnedNetworkProgram& program)
      : facts_(facts), isa_(isa), program_(program) {}

  /// Of `count` rows of the weights, from `first` on; 0: of all.
  void pack_sums(NetworkOp& op, const Node& node, bool has_sample_lanes, int64_t first = 0, int64_t count = 0);
  /// Of these taps of a transposed convolution.
  void pack_spread(NetworkOp& op, const Node& node, const std::vector<int64_t>& taps);
  /// `lanes` are the places of the channels among those of a pixel.
  void pack_depthwise(NetworkOp& op, const Node& node, const std::vector<int64_t>& lanes);
  void pack_tiles(NetworkOp& op, const Node& node, OwnedNetworkWinograd& made);

 private:
  struct Matrix {
    const float* from;
    int64_t row;
    int64_t column;
    int64_t rows;
    const float* bias;
  };
  std::shared_ptr<Tensor> pack_matrix(const Matrix& matrix, int64_t terms, bool has_sample_lanes) const;
  template <typename Make>
  const float* packed(const Node& node, const std::string& key, const Make& make);

  const std::vector<Fact>& facts_;
  Isa isa_;
  OwnedNetworkProgram& program_;
};

}  // namespace slipway
