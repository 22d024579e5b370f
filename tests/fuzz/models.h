// Small models that load and run, for the fuzz targets to begin with.
#pragma once

#include "onnx_writer.h"

namespace slipway::fuzz {

using check::attribute;
using check::floats;
using check::ints;
using check::Message;
using check::Model;
using check::node;
using check::step;
using check::value;

// A Loop in a Loop, a Scan, and an If.
inline std::vector<Model> control_seeds() {
  const Model inner = step({node("Add", {"s", "x"}, {"t"}), node("Cast", {"i"}, {"f"}, {attribute("to", int64_t{1})}),
                            node("Mul", {"t", "f"}, {"u"})},
                           "u");
  Model outer =
      step({node("Loop", {"i", "c", "s"}, {"t"}, {attribute("body", inner)}), node("Neg", {"t"}, {"row"})}, "t");
  outer.outputs.push_back(value("row", {"N"}));
  Model loop;
  loop.inputs = {value("x", {"N"})};
  loop.initializers = {ints("three", {}, {3})};
  loop.nodes = {node("Loop", {"three", "", "x"}, {"y", "rows"}, {attribute("body", outer)})};
  loop.outputs = {value("y", {"N"}), value("rows", {"T", "N"})};

  Model element;
  element.inputs = {value("s", {"D"}), value("e", {"D"})};
  element.nodes = {node("Add", {"s", "e"}, {"t"}), node("Mul", {"t", "w"}, {"row"})};
  element.outputs = {value("t", {"D"}), value("row", {"D"})};
  Model scan;
  scan.inputs = {value("x", {"T", "D"}), value("start", {"D"})};
  scan.initializers = {floats("w", {1}, {2.0F})};
  scan.nodes = {node(
      "Scan", {"start", "x"}, {"y", "rows"},
      {attribute("body", element), attribute("num_scan_inputs", int64_t{1}),
       attribute("scan_input_axes", std::vector<int64_t>{0}), attribute("scan_output_axes", std::vector<int64_t>{1}),
       attribute("scan_output_directions", std::vector<int64_t>{1})})};
  scan.outputs = {value("y", {"D"}), value("rows", {"D", "T"})};

  Model yes;
  yes.nodes = {node("Add", {"x", "x"}, {"a"})};
  yes.outputs = {value("a", {"N"})};
  Model no;
  no.nodes = {node("Concat", {"x", "k"}, {"b"}, {attribute("axis", int64_t{0})})};
  no.outputs = {value("b", {"M"})};
  Model choice;
  choice.inputs = {value("c", {}, 9), value("x", {"N"})};
  choice.nodes = {node("Neg", {"x"}, {"k"}),
                  node("If", {"c"}, {"y"}, {attribute("then_branch", yes), attribute("else_branch", no)}),
                  node("Shape", {"y"}, {"size"})};
  choice.outputs = {value("y", {"M"}), value("size", {"1"}, 7)};
  return {loop, scan, choice};
}

// What earlier runs have found: -0 has no logarithm, and its bits overflow a subtraction.
inline std::vector<Model> found_seeds() {
  Model logarithms;
  logarithms.inputs = {value("x", {"N", "3"})};
  logarithms.nodes = {node("Neg", {"x"}, {"m"}), node("Log", {"m"}, {"y"})};
  logarithms.outputs = {value("y", {"N", "3"})};
  return {logarithms};
}

inline std::vector<std::string> model_seeds() {
  Model cnn;
  cnn.inputs = {value("x", {"N", "1", "6", "6"})};
  cnn.initializers = {floats("w", {2, 1, 3, 3}, std::vector<float>(18, 0.5F)),
                      floats("s", {2}, {1.0F, 2.0F}),
                      floats("v", {2}, {1.0F, 1.0F}),
                      ints("shape", {2}, {0, -1}),
                      floats("fc", {32, 3}, std::vector<float>(96, 0.1F)),
                      floats("b", {3}, {1.0F, 2.0F, 3.0F})};
  cnn.nodes = {node("Conv", {"x", "w"}, {"c"},
                    {attribute("kernel_shape", std::vector<int64_t>{3, 3}), attribute("group", int64_t{1})}),
               node("BatchNormalization", {"c", "s", "s", "s", "v"}, {"n"}, {attribute("epsilon", 1e-5F)}),
               node("Relu", {"n"}, {"r"}),
               node("Reshape", {"r", "shape"}, {"f"}),
               node("MatMul", {"f", "fc"}, {"m"}),
               node("Add", {"m", "b"}, {"y"})};
  cnn.outputs = {value("y", {"N", "3"})};

  Model shapes;
  shapes.inputs = {value("x", {"N", "4"})};
  shapes.initializers = {ints("one", {1}, {1}), ints("two", {2}, {2, 2}), ints("zero", {1}, {0})};
  shapes.nodes = {node("Shape", {"x"}, {"sh"}),
                  node("Gather", {"sh", "zero"}, {"n"}, {attribute("axis", int64_t{0})}),
                  node("Concat", {"n", "two"}, {"to"}, {attribute("axis", int64_t{0})}),
                  node("Reshape", {"x", "to"}, {"a"}),
                  node("Transpose", {"a"}, {"t"}, {attribute("perm", std::vector<int64_t>{0, 2, 1})}),
                  node("Slice", {"t", "zero", "one", "one"}, {"sl"}),
                  node("Squeeze", {"sl", "one"}, {"q"}),
                  node("Constant", {}, {"k"}, {attribute("value_ints", std::vector<int64_t>{3, 1})}),
                  node("Expand", {"zero", "k"}, {"e"}),
                  node("Identity", {"q"}, {"y"})};
  shapes.outputs = {value("y", {"N", "2"}), value("e", {"3", "1"}, 7)};

  Model recurrent;
  recurrent.inputs = {value("x", {"T", "N", "3"})};
  recurrent.initializers = {floats("w", {1, 6, 3}, std::vector<float>(18, 0.1F)),
                            floats("r", {1, 6, 2}, std::vector<float>(12, 0.1F))};
  recurrent.nodes = {node("GRU", {"x", "w", "r"}, {"all", "h"}, {attribute("hidden_size", int64_t{2})}),
                     node("Softmax", {"h"}, {"y"}, {attribute("axis", int64_t{-1})})};
  recurrent.outputs = {value("y", {"1", "N", "2"})};
  std::vector<std::string> models = {cnn.bytes(), shapes.bytes(), recurrent.bytes()};
  for (const Model& model : control_seeds()) models.push_back(model.bytes());
  for (const Model& model : found_seeds()) models.push_back(model.bytes());
  return models;
}

}  // namespace slipway::fuzz
