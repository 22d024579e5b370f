// Folds BatchNormalization into the Conv, ConvTranspose or Gemm before it:
//
//     s = scale / sqrt(var + eps);   W' = s * W (per output channel);   b' = s * (b - mean) + shift
//
// 1. Nobody else reads what the node before makes; otherwise nothing is done.
// 2. Weights, bias and all four statistics are float32 constants; otherwise nothing is done.
// 3. Folding is done in double and rounded once, so the graph differs from the original by one rounding.
// 4. Gemm's bias is beta * C: beta goes into b', whose factor becomes 1. A bias that differs by row is left alone.
// 5. A variance that makes s infinite or NaN is left alone.
// 6. Between the two may stand Slices that nobody else reads and that leave the channels' axis alone: what happens to a
//    channel happens to each part of it.
#include <algorithm>
#include <cmath>

#include "passes/sweep.h"

namespace slipway {

namespace {

/// s and shift of every channel, with the mean: y = s * (x - mean) + shift.
struct Channels {
  std::vector<double> factor;
  std::vector<double> mean;
  std::vector<double> shift;

  [[nodiscard]] int64_t count() const { return static_cast<int64_t>(factor.size()); }
};

bool is_float_list(const Tensor* tensor, int64_t count) {
  return tensor != nullptr && tensor->dtype() == DType::kFloat32 && tensor->shape().rank() == 1 &&
         tensor->shape()[0] == count;
}

// Empty where case 2 or 5 forbids to fold.
Channels channels_of(const Sweep& sweep, const Node& norm) {
  Channels out;
  if (norm.inputs.size() != 5 || int_attribute(norm, "training_mode", 0) != 0) return out;
  const Tensor* parts[4];
  for (std::size_t i = 0; i < 4; ++i) parts[i] = sweep.constant(norm.inputs[i + 1]);
  if (parts[0] == nullptr || parts[0]->shape().rank() != 1) return out;
  const int64_t count = parts[0]->shape()[0];
  for (const Tensor* part : parts) {
    if (!is_float_list(part, count)) return out;
  }
  const double epsilon = float_attribute(norm, "epsilon", 1e-5F);
  for (int64_t c = 0; c < count; ++c) {
    const double factor = parts[0]->as<float>()[c] / std::sqrt(parts[3]->as<float>()[c] + epsilon);
    if (!std::isfinite(factor)) return {};
    out.factor.push_back(factor);
    out.shift.push_back(parts[1]->as<float>()[c]);
    out.mean.push_back(parts[2]->as<float>()[c]);
  }
  return out;
}

/// Where the output channel of weight i is found: (i / inner) % channels + (i / outer) * channels.
struct WeightLayout {
  int64_t inner = 1;
  int64_t channels = 1;  // of one group
  int64_t outer = 1;     // weights of one group
  int64_t groups = 1;

  [[nodiscard]] int64_t channel_of(int64_t i) const { return (i / inner) % channels + (i / outer) * channels; }
};

// Conv [M, C/g, ...]; ConvTranspose [C, M/g, ...], whose groups divide C; Gemm [K, N] or, transposed, [N, K].
WeightLayout layout_of(const Node& node, const Tensor& weights) {
  const Shape& shape = weights.shape();
  const int64_t count = shape.count();
  if (node.op == "Conv") return {count / shape[0], shape[0], count, 1};
  if (node.op == "ConvTranspose") {
    const int64_t groups = int_attribute(node, "group", 1);
    return {shape.count(2, shape.rank()), shape[1], count / groups, groups};
  }
  if (int_attribute(node, "transB", 0) != 0) return {shape[1], shape[0], count, 1};
  return {1, shape[1], count, 1};
}

Tensor scaled(const Tensor& weights, const WeightLayout& layout, const Channels& channels) {
  Tensor out(DType::kFloat32, weights.shape());
  for (int64_t i = 0; i < weights.shape().count(); ++i) {
    const auto c = static_cast<std::size_t>(layout.channel_of(i));
    out.as<float>()[i] = static_cast<float>(channels.factor[c] * weights.as<float>()[i]);
  }
  return out;
}

Tensor shifted(const Tensor* bias, double beta, const Channels& channels) {
  Tensor out(DType::kFloat32, {channels.count()});
  const bool is_one = bias != nullptr && bias->shape().count() == 1;
  for (int64_t c = 0; c < channels.count(); ++c) {
    const auto k = static_cast<std::size_t>(c);
    const double b = bias == nullptr ? 0.0 : beta * bias->as<float>()[is_one ? 0 : c];
    out.as<float>()[c] = static_cast<float>(channels.factor[k] * (b - channels.mean[k]) + channels.shift[k]);
  }
  return out;
}

// Case 4: one number, or one per channel along the last axis.
bool is_bias(const Tensor* bias, int64_t count) {
  if (bias->dtype() != DType::kFloat32) return false;
  const Shape& shape = bias->shape();
  return shape.count() == 1 || (shape.count() == count && shape[shape.rank() - 1] == count);
}

/// What a normalization reads: made by `linear`, then cut by `slices`, of which the last comes first.
struct Chain {
  int linear = -1;
  std::vector<int> slices;
};

// Case 6.
bool keeps_channels(const Sweep& sweep, const Node& slice) {
  const Fact& x = sweep.fact(slice.inputs[0]);
  const Tensor* axes = slice.inputs.size() > 3 ? sweep.constant(slice.inputs[3]) : nullptr;
  if (!x.dims || axes == nullptr || axes->dtype() != DType::kInt64) return false;
  const auto rank = static_cast<int64_t>(x.dims->size());
  const auto* first = axes->as<int64_t>();
  return std::none_of(first, first + axes->shape().count(),
                      [&](int64_t axis) { return axis == 1 || axis + rank == 1; });
}

/// Without `linear` where cases 1 or 6 forbid to fold.
Chain chain_of(const Sweep& sweep, int index) {
  Chain chain;
  ValueId x = sweep.graph().nodes[static_cast<std::size_t>(index)].inputs[0];
  while (sweep.is_free({index})) {
    index = sweep.sole_maker(x, {"Conv", "ConvTranspose", "Gemm", "Slice"});
    if (index < 0) break;
    const Node& node = sweep.graph().nodes[static_cast<std::size_t>(index)];
    if (node.op != "Slice") {
      if (sweep.is_free({index})) chain.linear = index;
      break;
    }
    if (!keeps_channels(sweep, node)) break;
    chain.slices.push_back(index);
    x = node.inputs[0];
  }
  return chain;
}

/// Puts `folded` in place of the chain's linear node; what came last makes what the normalization made.
bool replace(Sweep& sweep, int index, const Chain& chain, Node folded) {
  const Graph& graph = sweep.graph();
  const ValueId made = graph.nodes[static_cast<std::size_t>(index)].outputs[0];
  Node last = chain.slices.empty() ? Node() : copy_of(graph.nodes[static_cast<std::size_t>(chain.slices.front())]);
  (chain.slices.empty() ? folded : last).outputs = {made};
  if (!sweep.accepts(folded) || (!chain.slices.empty() && !sweep.accepts(last))) return false;
  sweep.claim({index, chain.linear});
  for (const int slice : chain.slices) sweep.claim({slice});
  sweep.remove(index);
  sweep.remove(chain.linear);
  sweep.insert(chain.linear, std::move(folded));
  if (chain.slices.empty()) return true;
  sweep.remove(chain.slices.front());
  sweep.insert(chain.slices.front(), std::move(last));
  return true;
}

bool fold(Sweep& sweep, int index) {
  const Node& norm = sweep.graph().nodes[static_cast<std::size_t>(index)];
  const Chain chain = chain_of(sweep, index);
  const int maker = chain.linear;
  if (maker < 0) return false;
  const Node& linear = sweep.graph().nodes[static_cast<std::size_t>(maker)];
  const Tensor* weights = sweep.constant(linear.inputs[1]);
  const ValueId bias_id = linear.inputs.size() > 2 ? linear.inputs[2] : kNoValue;
  const Tensor* bias = sweep.constant(bias_id);
  if (weights == nullptr || weights->dtype() != DType::kFloat32 || weights->shape().rank() < 2 ||
      (bias_id != kNoValue && bias == nullptr)) {
    return false;
  }
  const Channels channels = channels_of(sweep, norm);
  if (channels.count() == 0 || weights->shape().count() == 0) return false;
  const WeightLayout layout = layout_of(linear, *weights);
  if (layout.channels * layout.groups != channels.count()) return false;
  if (bias != nullptr && !is_bias(bias, channels.count())) return false;

  const bool is_gemm = linear.op == "Gemm";
  const double beta = is_gemm ? float_attribute(linear, "beta", 1.0F) : 1.0;
  Node folded = copy_of(linear);
  const std::string place = concat(sweep.name(linear.inputs[1]), ":", norm.name);
  folded.inputs = {linear.inputs[0], sweep.add_constant(place + ":weights", scaled(*weights, layout, channels)),
                   sweep.add_constant(place + ":bias", shifted(bias, beta, channels))};
  if (is_gemm) folded.attributes.insert_or_assign("beta", 1.0F);
  if (!replace(sweep, index, chain, std::move(folded))) return false;
  sweep.note(norm.title(), " went into ", linear.title());
  return true;
}

}  // namespace

Rewrite fold_batchnorm(const Graph& graph) {
  Sweep sweep(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.domain.empty() && node.op == "BatchNormalization" && node.outputs.size() == 1) {
      (void)fold(sweep, static_cast<int>(i));
    }
  }
  return sweep.finish();
}

}  // namespace slipway
