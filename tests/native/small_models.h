// Small models of the kinds that there are: dense, convolutional, recurrent, and one with a loop.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/shape.h"
#include "onnx_writer.h"

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
      {weights("w", {16, 3, 3, 3}), weights("b", {16}), weights("v", {32, 16, 3, 3})}, {"N", "32", "1", "1"});
}

/// Images so large that a plan takes a few of them at a time.
inline Model pictures() {
  return model_of({"N", "8", "128", "128"},
                  {node("Conv", {"x", "w"}, {"c"}), node("Softmax", {"c"}, {"s"}, {attribute("axis", int64_t{1})}),
                   node("Exp", {"s"}, {"e"}), node("ReduceMean", {"e", "axes"}, {"y"})},
                  {weights("w", {8, 8, 1, 1}), ints("axes", {2}, {2, 3})}, {"N", "8", "1", "1"});
}

inline Model recurrence() {
  return model_of({"20", "N", "24"},
                  {node("GRU", {"x", "w", "r", "b"}, {"all", "last"}, {attribute("hidden_size", int64_t{32})}),
                   node("Tanh", {"last"}, {"y"})},
                  {weights("w", {1, 96, 24}), weights("r", {1, 96, 32}), weights("b", {1, 192})}, {"1", "N", "32"});
}

/// Adds x to a state of zeros three times, and keeps each sum: y [N, 4], rows [3, N, 4].
inline Model repetition() {
  Model body;
  body.inputs = {value("i", {}, 7), value("c", {}, 9), value("s", {"N", "4"})};
  body.nodes = {node("Add", {"s", "x"}, {"t"}), node("Identity", {"c"}, {"d"}), node("Tanh", {"t"}, {"row"})};
  body.outputs = {value("d", {}, 9), value("t", {"N", "4"}), value("row", {"N", "4"})};
  Model model = model_of({"N", "4"},
                         {node("Mul", {"x", "zero"}, {"start"}),
                          node("Loop", {"three", "", "start"}, {"y", "rows"}, {attribute("body", body)})},
                         {ints("three", {}, {3}), floats("zero", {}, {0.0F})}, {"N", "4"});
  model.outputs.push_back(value("rows", {"T", "N", "4"}));
  return model;
}

/// Two loops that run beside each other: y and z are x and three times 0 or x more.
inline Model two_repetitions() {
  const auto body = [](const std::string& prefix, const std::string& more) {
    Model made;
    made.inputs = {value(prefix + "i", {}, 7), value(prefix + "c", {}, 9), value(prefix + "s", {"N", "4"})};
    made.nodes = {node("Add", {prefix + "s", more}, {prefix + "t"}), node("Identity", {prefix + "c"}, {prefix + "d"})};
    made.outputs = {value(prefix + "d", {}, 9), value(prefix + "t", {"N", "4"})};
    return made;
  };
  Model model = model_of({"N", "4"},
                         {node("Loop", {"three", "", "x"}, {"y"}, {attribute("body", body("a", "x"))}),
                          node("Loop", {"three", "", "x"}, {"z"}, {attribute("body", body("b", "zero"))})},
                         {ints("three", {}, {3}), floats("zero", {}, {0.0F})}, {"N", "4"});
  model.outputs.push_back(value("z", {"N", "4"}));
  return model;
}

}  // namespace slipway::check
