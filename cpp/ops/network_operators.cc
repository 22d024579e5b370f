#include "ops/network_operators.h"

#include <algorithm>
#include <array>
#include <vector>

namespace slipway {

namespace {

constexpr std::array kOperators = {"Conv",        "ConvActivation", "Gemm",       "GemmActivation", "MaxPool",
                                   "AveragePool", "ReduceMax",      "ReduceMean", "GlobalMaxPool",  "GlobalAveragePool",
                                   "Add",         "Concat",         "Relu",       "Sigmoid",        "Tanh",
                                   "LeakyRelu",   "HardSwish",      "Clip",       "Flatten",        "Reshape",
                                   "Identity",    "Dropout"};

}  // namespace

bool network_has(const Node& node, bool is_for_cuda) {
  if (node.op == "Mul" || node.op == "ConvTranspose") return !is_for_cuda;
  return std::find(kOperators.begin(), kOperators.end(), node.op) != kOperators.end();
}

bool reduces_planes(const Node& node, const Tensor* given) {
  std::vector<int64_t> axes = NodeReader(node).get_ints("axes");
  if (given != nullptr) {
    if (given->dtype() != DType::kInt64) return false;
    axes.assign(given->as<int64_t>(), given->as<int64_t>() + given->shape().count());
  }
  for (int64_t& axis : axes) axis += axis < 0 ? 4 : 0;
  std::sort(axes.begin(), axes.end());
  return axes == std::vector<int64_t>({2, 3});
}

bool is_depthwise(const Node& node, const Shape& weights) {
  const int64_t group = NodeReader(node).get_int("group", 1);
  return group > 1 && weights[0] == group && weights[1] == 1;
}

}  // namespace slipway
