#include "ops/network_operators.h"

#include <algorithm>
#include <array>
#include <vector>

#include "ops/batch_normalization.h"

namespace slipway {

namespace {

constexpr std::array kOperators = {"Conv",        "ConvActivation", "Gemm",       "GemmActivation", "MaxPool",
                                   "AveragePool", "ReduceMax",      "ReduceMean", "GlobalMaxPool",  "GlobalAveragePool",
                                   "Add",         "Concat",         "Relu",       "Sigmoid",        "Tanh",
                                   "LeakyRelu",   "HardSwish",      "Clip",       "Flatten",        "Reshape",
                                   "Identity",    "Dropout"};

/// What CUDA's networks have no stage for.
constexpr std::array kOfProcessors = {"Mul",   "ConvTranspose", "BatchNormalization", "Resize",
                                      "Split", "Squeeze",       "Unsqueeze"};

}  // namespace

bool network_has(const Node& node, bool is_for_cuda) {
  const auto is_in = [&](const auto& list) { return std::find(list.begin(), list.end(), node.op) != list.end(); };
  return is_in(kOperators) || (!is_for_cuda && is_in(kOfProcessors));
}

bool reduces_planes(const Node& node, const Tensor* given, int rank) {
  std::vector<int64_t> axes = NodeReader(node).get_ints("axes");
  if (given != nullptr) {
    if (given->dtype() != DType::kInt64) return false;
    axes.assign(given->as<int64_t>(), given->as<int64_t>() + given->shape().count());
  }
  for (int64_t& axis : axes) axis += axis < 0 ? rank : 0;
  std::sort(axes.begin(), axes.end());
  std::vector<int64_t> spatial;
  for (int64_t axis = 2; axis < rank; ++axis) spatial.push_back(axis);
  return rank > 2 && axes == spatial;
}

std::vector<float> channel_factors(const Node& node, const std::function<const Tensor*(ValueId)>& constant) {
  const float* parts[4];
  BatchNormalizationCall norm;
  for (std::size_t i = 0; i < 4; ++i) {
    const Tensor* part = constant(node.inputs[i + 1]);
    if (part == nullptr || part->dtype() != DType::kFloat32) return {};
    if (i > 0 && part->shape().count() != norm.channels) return {};
    parts[i] = part->as<float>();
    norm.channels = part->shape().count();
  }
  norm.epsilon = static_cast<double>(NodeReader(node).get_float("epsilon", 1e-5F));
  std::vector<float> merged(static_cast<std::size_t>(2 * norm.channels));
  if (!merge_statistics(norm, parts, merged.data())) merged.clear();
  return merged;
}

bool is_depthwise(const Node& node, const Shape& weights) {
  const int64_t group = NodeReader(node).get_int("group", 1);
  return group > 1 && weights[0] == group && weights[1] == 1;
}

bool is_grouped(const Node& node, const Shape& weights) {
  const int64_t group = NodeReader(node).get_int("group", 1);
  const int64_t fellows = group > 1 ? weights[0] / group : 0;
  const bool fills_lanes =
      fellows % kMostNetworkLanes == 0 || (fellows < kMostNetworkLanes && (fellows & (fellows - 1)) == 0);
  return fellows > 1 && group <= kMostNetworkGroups && weights[1] == fellows && fills_lanes;
}

}  // namespace slipway
