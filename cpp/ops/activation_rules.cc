#include "ops/activation_rules.h"

#include <algorithm>
#include <limits>

namespace slipway {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Name {
  Activation kind;
  std::string_view onnx;  // or empty: ONNX has several nodes for it
  std::string_view fused;
  int numbers;  // alpha, or alpha and beta
  float alpha;  // where a node states none
  float beta;
};
constexpr Name kNames[] = {
    {Activation::kRelu, "Relu", "relu", 0, 0.0F, 0.0F},
    {Activation::kLeakyRelu, "LeakyRelu", "leaky_relu", 1, 0.01F, 0.0F},  // ONNX LeakyRelu 6
    {Activation::kSigmoid, "Sigmoid", "sigmoid", 0, 0.0F, 0.0F},
    {Activation::kTanh, "Tanh", "tanh", 0, 0.0F, 0.0F},
    {Activation::kHardSwish, "HardSwish", "hard_swish", 0, 0.0F, 0.0F},
    {Activation::kClip, "Clip", "clip", 2, -kInfinity, kInfinity},
    {Activation::kSilu, "", "silu", 0, 0.0F, 0.0F},
};

const Name* find_name(std::string_view Name::* member, std::string_view text) {
  const auto* found =
      std::find_if(std::begin(kNames), std::end(kNames), [&](const Name& name) { return name.*member == text; });
  return found != std::end(kNames) ? found : nullptr;
}

/// Reads a bound of Clip into `number`; false where it is not known, or not of float32.
bool read_bound(const Node& node, std::size_t i, const std::function<const Tensor*(ValueId)>& constant, float& number) {
  if (i >= node.inputs.size() || node.inputs[i] == kNoValue) return true;
  const Tensor* bound = constant(node.inputs[i]);
  if (bound == nullptr || bound->dtype() != DType::kFloat32 || bound->shape().count() != 1) return false;
  number = *bound->as<float>();
  return true;
}

}  // namespace

ActivationCall read_activation(const NodeReader& node) {
  if (!node.has_attribute("activation")) return {};
  const std::string text = node.get_string("activation", "");
  const Name* name = find_name(&Name::fused, text);
  if (name == nullptr) {
    std::string known;
    for (const Name& other : kNames) known += concat(known.empty() ? "" : ", ", other.fused);
    fail(Code::kUnsupported, "activation ", quote(text), " is not supported, supported are: ", known);
  }
  return {name->kind, node.get_float("activation_alpha", name->alpha), node.get_float("activation_beta", name->beta)};
}

ActivationCall activation_of(const Node& node, const std::function<const Tensor*(ValueId)>& constant) {
  const Name* name = node.domain.empty() ? find_name(&Name::onnx, node.op) : nullptr;
  if (name == nullptr) return {};
  ActivationCall call{name->kind, name->alpha, name->beta};
  if (call.kind == Activation::kLeakyRelu) call.alpha = NodeReader(node).get_float("alpha", call.alpha);
  const bool is_clip = call.kind == Activation::kClip;
  if (is_clip && !(read_bound(node, 1, constant, call.alpha) && read_bound(node, 2, constant, call.beta))) return {};
  return call;
}

Attributes attributes_of(const ActivationCall& activation) {
  const auto* name = std::find_if(std::begin(kNames), std::end(kNames),
                                  [&](const Name& known) { return known.kind == activation.kind; });
  Attributes made;
  made.emplace("activation", std::string(name->fused));
  if (name->numbers > 0) made.emplace("activation_alpha", activation.alpha);
  if (name->numbers > 1) made.emplace("activation_beta", activation.beta);
  return made;
}

}  // namespace slipway
