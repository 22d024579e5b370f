#include "ops/network_weights.h"

#include <algorithm>

#include "ops/network_items.h"
#include "ops/network_operators.h"
#include "simd/panels.h"

namespace slipway {

NetworkWeights weights_of(const Node& node, const std::vector<Fact>& facts) {
  const auto constant = [&](std::size_t i) {
    const bool is_given = i < node.inputs.size() && node.inputs[i] != kNoValue;
    return is_given ? facts[static_cast<std::size_t>(node.inputs[i])].constant.get() : nullptr;
  };
  const bool is_matrix = constant(1)->shape().rank() == 2;
  return {constant(1), constant(2), is_matrix && NodeReader(node).get_int("transB", 0) == 0};
}

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

std::shared_ptr<Tensor> NetworkPacker::pack_matrix(const Matrix& matrix, int64_t terms, bool has_sample_lanes) const {
  const int64_t lanes = lanes_of(isa_);
  const int64_t floats = has_sample_lanes ? matrix.rows * terms : panels_size(terms, matrix.rows, lanes);
  const int64_t biases = has_sample_lanes ? matrix.rows : panel_columns(matrix.rows, lanes);
  auto made = std::make_shared<Tensor>(DType::kFloat32, Shape{floats + biases});
  const auto fill = has_sample_lanes ? pack_even_tiles : pack_row_vectors;
  fill(matrix.from, matrix.row, matrix.column, matrix.rows, terms, lanes, made->as<float>());
  for (int64_t i = 0; i < biases; ++i) {
    made->as<float>()[floats + i] = matrix.bias != nullptr && i < matrix.rows ? matrix.bias[i] : 0.0F;
  }
  return made;
}

void NetworkPacker::pack_sums(NetworkOp& op, const Node& node, bool has_sample_lanes, int64_t first, int64_t count) {
  const NetworkWeights given = weights_of(node, facts_);
  const int64_t k = op.terms;
  const int64_t m = count > 0 ? count : given.weights->shape().count() / k;
  std::string key = has_sample_lanes ? "even tiles " : "row vectors ";
  if (count > 0) key += concat("of rows from ", first, " ");
  op.weights = packed(node, key, [&] {
    const float* from = given.weights->as<float>() + first * k;
    const float* bias = given.bias != nullptr ? given.bias->as<float>() + first : nullptr;
    const Matrix matrix{from, given.is_transposed ? 1 : k, given.is_transposed ? m : 1, m, bias};
    return pack_matrix(matrix, k, has_sample_lanes);
  });
  op.bias = op.weights + (has_sample_lanes ? m * k : panels_size(k, m, lanes_of(isa_)));
}

void NetworkPacker::pack_spread(NetworkOp& op, const Node& node, const std::vector<int64_t>& taps) {
  const bool has_sample_lanes = program_.has_sample_lanes;
  const NetworkWeights given = weights_of(node, facts_);
  const Shape& shape = given.weights->shape();  // [C, M, KH, KW]
  const int64_t m = shape[1];
  const int64_t all = shape.count(2, shape.rank());
  std::string key = has_sample_lanes ? "even tiles of taps " : "row vectors of taps ";
  for (const int64_t tap : taps) key += concat(tap, " ");
  op.weights = packed(node, key, [&] {
    std::vector<float> terms;  // [terms, M]
    terms.reserve(static_cast<std::size_t>(op.terms * m));
    for (int64_t c = 0; c < shape[0]; ++c) {
      for (const int64_t tap : taps) {
        for (int64_t i = 0; i < m; ++i) {
          terms.push_back(given.weights->as<float>()[(c * m + i) * all + tap]);
        }
      }
    }
    const float* bias = given.bias != nullptr ? given.bias->as<float>() : nullptr;
    return pack_matrix({terms.data(), 1, m, m, bias}, op.terms, has_sample_lanes);
  });
  op.bias = op.weights + (has_sample_lanes ? m * op.terms : panels_size(op.terms, m, lanes_of(isa_)));
}

void NetworkPacker::pack_depthwise(NetworkOp& op, const Node& node, const std::vector<int64_t>& lanes) {
  const bool has_sample_lanes = program_.has_sample_lanes;
  const int64_t width = has_sample_lanes ? 1 : lanes_of(isa_);
  const int64_t channels = op.rows * width;
  // Where they lie depends on what the network has before.
  std::string key = concat("depthwise ", has_sample_lanes ? "rows " : "row vectors ");
  for (std::size_t c = 1; c < lanes.size(); ++c) {
    if (lanes[c] != lanes[c - 1] + 1) key += concat(c, " at ", lanes[c], " ");
  }
  op.weights = packed(node, key, [&] {
    std::vector<float> merged;
    const float* weights = nullptr;
    const float* bias = nullptr;
    if (node.op == "BatchNormalization") {
      merged = channel_factors(node, [&](ValueId id) { return facts_[static_cast<std::size_t>(id)].constant.get(); });
      weights = merged.data();
      bias = weights + merged.size() / 2;
    } else {
      const NetworkWeights given = weights_of(node, facts_);
      weights = given.weights->as<float>();
      bias = given.bias != nullptr ? given.bias->as<float>() : nullptr;
    }
    Tensor rows(DType::kFloat32, Shape{channels, op.terms});
    auto made = std::make_shared<Tensor>(DType::kFloat32, Shape{channels * (op.terms + 1)});
    std::fill_n(rows.as<float>(), channels * op.terms, 0.0F);
    std::fill_n(made->as<float>(), channels * (op.terms + 1), 0.0F);
    for (std::size_t c = 0; c < lanes.size(); ++c) {
      const auto channel = static_cast<int64_t>(c);
      std::copy_n(weights + channel * op.terms, op.terms, rows.as<float>() + lanes[c] * op.terms);
      if (bias != nullptr) made->as<float>()[channels * op.terms + lanes[c]] = bias[c];
    }
    pack_row_vectors(rows.as<float>(), op.terms, 1, channels, op.terms, width, made->as<float>());
    return made;
  });
  op.bias = op.weights + channels * op.terms;
}

void NetworkPacker::pack_tiles(NetworkOp& op, const Node& node, OwnedNetworkWinograd& made) {
  const NetworkWeights given = weights_of(node, facts_);
  const bool has_sample_lanes = program_.has_sample_lanes;
  const float* weights = packed(node, has_sample_lanes ? "even points " : "row points ",
                                [&] { return pack_winograd(made, given, lanes_of(isa_), has_sample_lanes); });
  set_weights(made, weights, op);
}

}  // namespace slipway
