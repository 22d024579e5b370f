// Models for tests of passes: read, run with and without passes, and what operators are left.
#pragma once

#include <cmath>
#include <random>

#include "base/error.h"
#include "check.h"
#include "exec/runner.h"
#include "onnx_writer.h"
#include "ops/table.h"
#include "passes/infer_facts.h"
#include "passes/pipeline.h"

namespace slipway::check {

inline Graph read(const Model& model) {
  Graph graph = parse_model(model);
  for (Node& each : graph.nodes) resolve(each);
  infer_facts(graph);
  return graph;
}

// The operators that are left, in order: "Conv Relu". Of a network its nodes.
inline std::string operators_of(const Graph& graph) {
  std::string out;
  for (const Node& each : graph.nodes) {
    const bool is_network = each.op == "Network";
    out += concat(out.empty() ? "" : " ", is_network ? operators_of(*each.bodies().front().second) : each.op);
  }
  return out;
}

inline std::vector<std::string> names(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<std::string> out;
  for (const ValueId id : ids) out.push_back(graph.values[static_cast<std::size_t>(id)].name);
  return out;
}

inline std::vector<float> random_floats(int64_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  std::vector<float> out(static_cast<std::size_t>(count));
  for (float& each : out) each = uniform(engine);
  return out;
}

inline Message random_tensor(std::string_view name, const std::vector<int64_t>& dims, unsigned seed,
                             float offset = 0.0F) {
  int64_t count = 1;
  for (const int64_t size : dims) count *= size;
  std::vector<float> data = random_floats(count, seed);
  for (float& each : data) each += offset;
  return floats(name, dims, data);
}

inline std::vector<Tensor> run(Graph graph, const Shape& shape) {
  const std::vector<float> x = random_floats(shape.count(), 7);
  const TensorView view{x.data(), DType::kFloat32, shape};
  const std::size_t outputs = graph.outputs.size();
  Runner runner(std::move(graph), {});
  std::vector<Tensor> allocated(outputs);
  const std::vector<MutableView> into(outputs);
  runner.run(std::span(&view, 1), into, &allocated);
  return allocated;
}

// Runs the model with and without passes; gives the operators that the passes left.
inline std::string optimised(const Model& model, const Shape& shape, double tolerance = 0.0) {
  Graph before = read(model);
  const std::vector<std::string> outputs = names(before, before.outputs);
  Graph after = run_pipeline(before);
  EXPECT_TRUE(names(after, after.outputs) == outputs) << "outputs keep their names";
  EXPECT_TRUE(names(after, after.inputs) == names(before, before.inputs)) << "inputs keep their names";
  const std::string left = operators_of(after);
  const std::vector<Tensor> want = run(std::move(before), shape);
  const std::vector<Tensor> got = run(std::move(after), shape);
  for (std::size_t k = 0; k < want.size(); ++k) {
    ASSERT_TRUE(got[k].shape() == want[k].shape()) << outputs[k];
    for (int64_t i = 0; i < want[k].shape().count(); ++i) {
      const double error = std::abs(static_cast<double>(got[k].as<float>()[i]) - want[k].as<float>()[i]);
      ASSERT_TRUE(error <= tolerance) << outputs[k] << " differs by " << error;
    }
  }
  return left;
}

inline Model model_of(std::vector<Message> nodes, std::vector<Message> initializers,
                      const std::vector<std::string>& input, const std::vector<std::string>& outputs = {"y"}) {
  Model model;
  model.nodes = std::move(nodes);
  model.initializers = std::move(initializers);
  model.inputs = {value("x", input)};
  // No shape is stated, so that only inference says what an output is.
  for (const std::string& name : outputs) model.outputs.push_back(Message().text(1, name));
  return model;
}

// Rounding of values of size 1 to float32, a few times over, after sums of a few dozen terms.
inline constexpr double kRounding = 1e-5;

inline std::vector<Message> statistics(int64_t channels) {
  return {random_tensor("scale", {channels}, 11), random_tensor("shift", {channels}, 12),
          random_tensor("mean", {channels}, 13), random_tensor("var", {channels}, 14, 1.5F)};
}
inline Message norm(const std::string& from, const std::string& to) {
  return node("BatchNormalization", {from, "scale", "shift", "mean", "var"}, {to}, {}, "norm");
}

inline Model with_statistics(std::vector<Message> nodes, std::vector<Message> initializers,
                             const std::vector<std::string>& input, const std::vector<std::string>& outputs = {"y"}) {
  for (const Message& each : statistics(4)) initializers.push_back(each);
  return model_of(std::move(nodes), std::move(initializers), input, outputs);
}

}  // namespace slipway::check
