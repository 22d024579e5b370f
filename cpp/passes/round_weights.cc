// Weights become numbers that fewer bits can hold.
//
// 1. bf16: to the nearest, ties to the even one; what would overflow becomes the largest.
// 2. int8: w = q * s, q whole and at most 127 in magnitude. s is the channel's largest magnitude / 127, rounded up to
//    16 significant bits: q * s is then exact in float32, the largest q is 127, and s can be read from the weights.
// 3. Channels with a weight that is not finite, and tensors of other types than float32, are left alone.
#include "passes/round_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "passes/sweep.h"

namespace slipway {

namespace {

/// Weight inputs of an operator, and the axes whose places are channels of their own: a bit for each axis.
struct WeightRule {
  std::string_view op;
  std::size_t first;  // input
  std::size_t count;
  unsigned channel_axes;
};

// GRU, LSTM, RNN: W [D, G*H, I] and R [D, G*H, H]; Conv [M, C/g, ...]; ConvTranspose [C, M/g, ...].
constexpr std::array<WeightRule, 9> kRules = {{{"Conv", 1, 1, 1},
                                               {"ConvActivation", 1, 1, 1},
                                               {"ConvTranspose", 1, 1, 2},
                                               {"GRU", 1, 2, 3},
                                               {"LSTM", 1, 2, 3},
                                               {"RNN", 1, 2, 3},
                                               {"EmbeddedGRU", 1, 2, 3},
                                               {"EmbeddedLSTM", 1, 2, 3},
                                               {"EmbeddedRNN", 1, 2, 3}}};

/// The rule of a node; `count` 0 where its operator has no weights.
WeightRule rule_of(const Sweep& sweep, const Node& node) {
  for (const WeightRule& rule : kRules) {
    if (rule.op == node.op) return rule;
  }
  if (node.op == "Gemm" || node.op == "GemmActivation") {
    return {node.op, 1, 1, int_attribute(node, "transB", 0) != 0 ? 1U : 2U};
  }
  if (node.op == "MatMul") {
    const Tensor* b = node.inputs.size() > 1 ? sweep.constant(node.inputs[1]) : nullptr;
    const int rank = b == nullptr ? 0 : b->shape().rank();
    return {node.op, 1, 1, rank >= 2 ? ~(1U << (rank - 2)) : 0U};
  }
  return {node.op, 0, 0, 0};
}

float to_bfloat16(float x) noexcept {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  if (!std::isfinite(x)) return x;
  uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000U;
  if ((rounded & 0x7F800000U) == 0x7F800000U) rounded = bits & 0xFFFF0000U;
  std::memcpy(&x, &rounded, sizeof x);
  return x;
}

/// The least number of 16 significant bits that is not below x.
float round_up(float x) noexcept {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0xFF) & ~0xFFU;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

/// Which channel each element belongs to.
std::vector<int64_t> channels_of(const Shape& shape, unsigned channel_axes) {
  std::vector<int64_t> out(static_cast<std::size_t>(shape.count()), 0);
  int64_t inner = shape.count();
  for (int axis = 0; axis < shape.rank(); ++axis) {
    inner /= shape[axis];
    if ((channel_axes >> axis & 1) == 0) continue;
    for (int64_t i = 0; i < shape.count(); ++i) {
      int64_t& channel = out[static_cast<std::size_t>(i)];
      channel = channel * shape[axis] + i / inner % shape[axis];
    }
  }
  return out;
}

void to_int8(float* w, const std::vector<int64_t>& channels) {
  std::vector<float> scales(static_cast<std::size_t>(*std::max_element(channels.begin(), channels.end())) + 1, 0.0F);
  const auto scale_of = [&](std::size_t i) -> float& { return scales[static_cast<std::size_t>(channels[i])]; };
  for (std::size_t i = 0; i < channels.size(); ++i) {
    // Once not finite, always not: the comparison is false for NaN.
    if (!(std::fabs(w[i]) <= scale_of(i)) && !std::isnan(scale_of(i))) scale_of(i) = std::fabs(w[i]);
  }
  for (float& scale : scales) scale = round_up(scale / kInt8Steps);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const float scale = scale_of(i);
    if (std::isnormal(scale)) w[i] = std::nearbyint(w[i] / scale) * scale + 0.0F;  // no minus zero
  }
}

Tensor rounded(const Tensor& weights, unsigned channel_axes, Precision precision) {
  Tensor out(DType::kFloat32, weights.shape());
  const int64_t count = weights.shape().count();
  const auto* from = weights.as<float>();
  std::copy_n(from, count, out.as<float>());
  if (precision == Precision::kInt8) {
    to_int8(out.as<float>(), channels_of(weights.shape(), channel_axes));
  } else {
    std::transform(from, from + count, out.as<float>(), to_bfloat16);
  }
  return out;
}

}  // namespace

Rewrite round_weights(const Graph& graph, Precision precision) {
  if (precision == Precision::kFloat32 || precision == Precision::kTf32) return {};
  Sweep sweep(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const WeightRule rule = rule_of(sweep, graph.nodes[i]);
    Node node = copy_of(graph.nodes[i]);
    bool is_changed = false;
    for (std::size_t k = rule.first; k < rule.first + rule.count && k < node.inputs.size(); ++k) {
      const Tensor* weights = sweep.constant(node.inputs[k]);
      if (weights == nullptr || weights->dtype() != DType::kFloat32 || weights->shape().count() == 0) continue;
      const std::string name = concat(sweep.name(node.inputs[k]), ":", node.name, ":", name_of(precision));
      node.inputs[k] = sweep.add_constant(name, rounded(*weights, rule.channel_axes, precision));
      is_changed = true;
    }
    if (!is_changed || !sweep.accepts(node)) continue;
    sweep.note(node.title(), " has weights of ", name_of(precision));
    sweep.remove(static_cast<int>(i));
    sweep.insert(static_cast<int>(i), std::move(node));
  }
  return sweep.finish();
}

}  // namespace slipway
