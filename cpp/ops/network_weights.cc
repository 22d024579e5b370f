#include "ops/network_weights.h"

#include "ops/network_items.h"
#include "simd/panels.h"

namespace slipway {

/// What a node's cache has under `key`, made where it has none.
template <typename Make>
const float* NetworkPacker::packed(const Node& node, const std::string& key, const Make& make) {
  NodeCache& cache = *node.cache;
  const std::scoped_lock lock(cache.mutex);
  auto& entry = cache.entries[concat(key, name_of(isa_))];
  if (!entry) entry = std::shared_ptr<const Tensor>(make());
  program_.weights.push_back(std::static_pointer_cast<const Tensor>(entry));
  return program_.weights.back()->as<float>();
}

void NetworkPacker::pack_sums(NetworkOp& op, const Node& node, bool has_sample_lanes) {
  const NetworkWeights given = weights_of(node, facts_);
  const int64_t lanes = lanes_of(isa_);
  const int64_t k = op.terms;
  const int64_t m = given.weights->shape().count() / k;
  const int64_t floats = has_sample_lanes ? m * k : panels_size(k, m, lanes);
  op.weights = packed(node, has_sample_lanes ? "even tiles " : "row vectors ", [&] {
    const int64_t biases = has_sample_lanes ? m : panel_columns(m, lanes);
    auto made = std::make_shared<Tensor>(DType::kFloat32, Shape{floats + biases});
    const auto fill = has_sample_lanes ? pack_even_tiles : pack_row_vectors;
    fill(given.weights->as<float>(), given.is_transposed ? 1 : k, given.is_transposed ? m : 1, m, k, lanes,
         made->as<float>());
    for (int64_t i = 0; i < biases; ++i) {
      made->as<float>()[floats + i] = given.bias != nullptr && i < m ? given.bias->as<float>()[i] : 0.0F;
    }
    return made;
  });
  op.bias = op.weights + floats;
}

void NetworkPacker::pack_tiles(NetworkOp& op, const Node& node, OwnedNetworkWinograd& made) {
  const NetworkWeights given = weights_of(node, facts_);
  const bool has_sample_lanes = program_.has_sample_lanes;
  const float* weights = packed(node, has_sample_lanes ? "even points " : "row points ",
                                [&] { return pack_winograd(made, given, lanes_of(isa_), has_sample_lanes); });
  set_weights(made, weights, op);
}

}  // namespace slipway
