#include "ops/activation_rules.h"

namespace slipway {

namespace {

Activation activation_named(const std::string& name) {
  if (name == "relu") return Activation::kRelu;
  if (name == "leaky_relu") return Activation::kLeakyRelu;
  if (name == "sigmoid") return Activation::kSigmoid;
  if (name == "tanh") return Activation::kTanh;
  fail(Code::kUnsupported, "activation ", quote(name),
       " is not supported, supported are: relu, leaky_relu, sigmoid, tanh");
}

}  // namespace

ActivationCall read_activation(const NodeReader& node) {
  if (!node.has_attribute("activation")) return {};
  return {activation_named(node.get_string("activation", "")), node.get_float("activation_alpha", 0.01f)};
}

}  // namespace slipway
