// Small models of every kind of kernel, with weights that are a ramp: a perceptron, a convolution, a recurrence.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnx_writer.h"
#include "slipway/slipway.h"

namespace slipway::check {

inline std::vector<float> ramp(int64_t count) {
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(0.01F * static_cast<float>(i % 37 - 18));
  return values;
}

inline Message weights(std::string_view name, const std::vector<int64_t>& dims) {
  return floats(name, dims, ramp(Shape(std::span(dims)).count()));
}

inline Model model_of(std::vector<std::string> input, std::vector<Message> nodes, std::vector<Message> initializers,
                      std::vector<std::string> output) {
  Model model;
  model.inputs = {value("x", input)};
  model.nodes = std::move(nodes);
  model.initializers = std::move(initializers);
  model.outputs = {value("y", output)};
  return model;
}

inline Model perceptron() {
  return model_of({"N", "64"},
                  {node("Gemm", {"x", "w", "b"}, {"h"}), node("Relu", {"h"}, {"r"}), node("MatMul", {"r", "v"}, {"m"}),
                   node("Sigmoid", {"m"}, {"s"}), node("Softmax", {"s"}, {"y"})},
                  {weights("w", {64, 96}), weights("b", {96}), weights("v", {96, 80})}, {"N", "80"});
}

inline Model convolution() {
  return model_of(
      {"N", "3", "24", "24"},
      {node("Conv", {"x", "w", "b"}, {"c"}, {attribute("pads", std::vector<int64_t>{1, 1, 1, 1})}),
       node("Relu", {"c"}, {"r"}),
       node("MaxPool", {"r"}, {"p"},
            {attribute("kernel_shape", std::vector<int64_t>{2, 2}), attribute("strides", std::vector<int64_t>{2, 2})}),
       node("Conv", {"p", "v"}, {"d"}), node("GlobalAveragePool", {"d"}, {"y"})},
      {weights("w", {16, 3, 3, 3}), weights("b", {16}), weights("v", {32, 16, 1, 1})}, {"N", "32", "1", "1"});
}

inline Model recurrence() {
  return model_of({"20", "N", "24"},
                  {node("GRU", {"x", "w", "r", "b"}, {"all", "last"}, {attribute("hidden_size", int64_t{32})}),
                   node("Tanh", {"last"}, {"y"})},
                  {weights("w", {1, 96, 24}), weights("r", {1, 96, 32}), weights("b", {1, 192})}, {"1", "N", "32"});
}

struct Case {
  std::string name;
  Model model;
  std::vector<Shape> inputs;
  std::vector<Shape> outputs;
};

inline std::vector<Case> cases() {
  return {{"perceptron", perceptron(), {{1, 64}, {33, 64}, {600, 64}}, {{1, 80}, {33, 80}, {600, 80}}},
          {"convolution", convolution(), {{1, 3, 24, 24}, {5, 3, 24, 24}}, {{1, 32, 1, 1}, {5, 32, 1, 1}}},
          {"recurrence", recurrence(), {{20, 1, 24}, {20, 40, 24}}, {{1, 1, 32}, {1, 40, 32}}}};
}

}  // namespace slipway::check
