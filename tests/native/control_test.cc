// Graphs inside nodes: what the reader makes of them, what passes know of them, and how they run.
#include "base/error.h"
#include "check.h"
#include "counted_memory.h"
#include "exec/runner.h"
#include "onnx_writer.h"
#include "ops/table.h"
#include "passes/infer_facts.h"
#include "passes/pipeline.h"
#include "slipway/slipway.h"

namespace slipway {
namespace {

using namespace check;

// y, rows = n steps of s = tanh(s * w + k), w a constant and k = x + x from around the loop; rows are -s.
Model loop() {
  Model body = step({node("Mul", {"s", "w"}, {"m"}), node("Add", {"m", "k"}, {"a"}), node("Tanh", {"a"}, {"t"}),
                     node("Neg", {"t"}, {"row"})},
                    "t");
  body.outputs.push_back(value("row", {"N"}));
  Model model;
  model.inputs = {value("x", {"N"}), value("n", {}, 7)};
  model.initializers = {floats("w", {1}, {0.5F})};
  model.nodes = {node("Add", {"x", "x"}, {"k"}),
                 node("Loop", {"n", "", "x"}, {"y", "rows"}, {attribute("body", body)}, "steps")};
  model.outputs = {value("y", {"N"}), value("rows", {"T", "N"})};
  return model;
}

// y = depth loops, each the body of the one around it, of two steps; the innermost adds x, read across all of them.
Model nested(int depth) {
  Model inner = step({node("Add", {"s", "x"}, {"t"})}, "t");
  for (int level = 1; level < depth; ++level)
    inner = step({node("Loop", {"two", "", "s"}, {"t"}, {attribute("body", inner)})}, "t");
  Model model;
  model.inputs = {value("x", {"N"})};
  model.initializers = {ints("two", {}, {2})};
  model.nodes = {node("Loop", {"two", "", "x"}, {"y"}, {attribute("body", inner)})};
  model.outputs = {value("y", {"N"})};
  return model;
}

Model choice(Model yes, Model no) {
  Model model;
  model.inputs = {value("c", {}, 9), value("x", {"N"})};
  model.nodes = {node("Neg", {"x"}, {"n"}), node("Exp", {"x"}, {"e"}),
                 node("If", {"c"}, {"y"}, {attribute("then_branch", yes), attribute("else_branch", no)})};
  model.outputs = {value("y", {"N"})};
  return model;
}

Model branch(std::vector<Message> nodes) {
  Model body;
  body.nodes = std::move(nodes);
  body.outputs = {value("b", {"N"})};
  return body;
}

const Graph& body_of(const Node& node, std::size_t i = 0) {
  static std::vector<std::shared_ptr<const Graph>> kept;  // as long as the tests look at it
  kept.push_back(node.bodies().at(i).second);
  return *kept.back();
}

std::string name_of(const Graph& graph, ValueId id) { return graph.values[static_cast<std::size_t>(id)].name; }

std::string refusal(const Model& model, const ParseLimits& limits = {}) {
  try {
    (void)parse_model(model, limits);
    return "";
  } catch (const Error& error) {
    return error.message();
  }
}

#define EXPECT_SAYS(text, words) \
  EXPECT_TRUE((text).find(words) != std::string::npos) << "expected " << (words) << ", got: " << (text)

Graph ready(const Model& model, bool optimize) {
  Graph graph = parse_model(model);
  resolve_all(graph);
  infer_facts(graph);
  return optimize ? run_pipeline(std::move(graph)) : graph;
}

std::vector<float> floats_of(const Tensor& tensor) {
  return {tensor.as<float>(), tensor.as<float>() + tensor.shape().count()};
}

TEST(Bodies, captures_become_inputs_of_node_and_body_and_constants_are_copied) {
  const Graph graph = parse_model(loop());
  const Node& node = graph.nodes.back();
  EXPECT_EQ(node.captures, 1);
  EXPECT_EQ(node.own_inputs(), 3);
  EXPECT_EQ(name_of(graph, node.inputs.back()), "k");
  const Graph& body = body_of(node);
  EXPECT_EQ(body.inputs.size(), 4u);
  EXPECT_EQ(name_of(body, body.inputs.back()), "k");
  bool has_constant = false;
  for (const Value& value : body.values) has_constant = has_constant || (value.name == "w" && value.fact.constant);
  EXPECT_TRUE(has_constant);
}

TEST(Bodies, a_value_is_captured_by_every_graph_on_the_way) {
  const Graph graph = parse_model(nested(3));
  const Graph* level = &graph;
  for (int depth = 0; depth < 3; ++depth) {
    const Node& node = level->nodes.back();
    EXPECT_EQ(node.captures, 1) << "depth " << depth;
    EXPECT_EQ(name_of(*level, node.inputs.back()), "x");
    level = &body_of(node);
  }
  EXPECT_EQ(level->nodes.back().op, "Add");
}

TEST(Bodies, both_branches_get_the_same_captures_in_one_order) {
  const Graph graph =
      parse_model(choice(branch({node("Add", {"n", "x"}, {"b"})}), branch({node("Mul", {"e", "n"}, {"b"})})));
  const Node& node = graph.nodes.back();
  EXPECT_EQ(node.captures, 3);
  for (std::size_t i = 0; i < 2; ++i) {
    const Graph& body = body_of(node, i);
    EXPECT_EQ(body.inputs.size(), 3u);
    for (std::size_t k = 0; k < body.inputs.size(); ++k)
      EXPECT_EQ(name_of(body, body.inputs[k]), name_of(graph, node.inputs[1 + k]));
  }
}

TEST(Bodies, an_input_may_hide_a_name_around_it_a_node_may_not_make_it_again) {
  Model hidden = loop();
  Model body = step({node("Neg", {"x"}, {"t"})}, "t");
  body.inputs[2] = value("x", {"N"});
  hidden.nodes = {node("Loop", {"n", "", "x"}, {"y"}, {attribute("body", body)})};
  hidden.outputs = {value("y", {"N"})};
  EXPECT_EQ(refusal(hidden), "");
  EXPECT_EQ(parse_model(hidden).nodes.back().captures, 0);

  Model again = loop();
  again.nodes[1] = node("Loop", {"n", "", "x"}, {"y"}, {attribute("body", step({node("Neg", {"s"}, {"k"})}, "k"))});
  EXPECT_SAYS(refusal(again), "attribute \"body\": Neg \"k\": makes value \"k\", which the graph around it has");
}

TEST(Bodies, a_name_that_is_made_later_is_not_visible) {
  Model model = loop();
  std::swap(model.nodes[0], model.nodes[1]);
  EXPECT_SAYS(refusal(model), "reads value \"k\", which no node before it makes");
}

TEST(Bodies, depth_nodes_and_values_are_limited_over_all_graphs) {
  ParseLimits limits;
  EXPECT_EQ(refusal(nested(16)), "");
  EXPECT_SAYS(refusal(nested(17)), "graphs stand more than 16 deep");
  limits.max_nodes = 5;
  EXPECT_SAYS(refusal(loop(), limits), "more than 5 nodes");
  limits.max_nodes = 6;
  EXPECT_EQ(refusal(loop(), limits), "");
  limits.max_values = 12;
  EXPECT_SAYS(refusal(loop(), limits), "more than 12 values");
}

TEST(Bodies, what_no_operator_has_is_refused) {
  const Model body = step({node("Neg", {"s"}, {"t"})}, "t");
  Model model = loop();
  model.nodes[1] = node("Loop", {"n", "", "x"}, {"y"},
                        {attribute("a", body), attribute("b", body), attribute("body", body)}, "steps");
  EXPECT_SAYS(refusal(model), "Loop \"steps\": attribute \"body\": is the node's third graph");
  model.nodes[1] = node("Loop", {"n", "", "x"}, {"y"}, {Message().text(1, "body").number(20, 5)}, "steps");
  EXPECT_SAYS(refusal(model), "attribute \"body\": is of type graph, but holds none");
  model.nodes[1] = node("Loop", {"n", "", "x"}, {"y"}, {Message().text(1, "body").number(20, 10)}, "steps");
  EXPECT_SAYS(refusal(model), "attribute \"body\": is of type 10");
  Message twice = attribute("body", body);
  twice.message(6, body.graph());
  model.nodes[1] = node("Loop", {"n", "", "x"}, {"y"}, {twice}, "steps");
  EXPECT_SAYS(refusal(model), "attribute \"body\": holds two graphs");
}

TEST(Bodies, what_passes_learn_around_a_body_goes_into_it) {
  Model model = loop();
  model.initializers.push_back(floats("half", {1}, {0.25F}));
  model.nodes[0] = node("Add", {"half", "half"}, {"k"});
  const Graph graph = ready(model, true);
  EXPECT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.nodes[0].captures, 0) << "k is a constant now";
  const Graph& body = body_of(graph.nodes[0]);
  EXPECT_EQ(body.inputs.size(), 3u);
  const Fact& state = body.values[static_cast<std::size_t>(body.inputs[2])].fact;
  EXPECT_EQ(state.text(), "float32 [N]") << "the body keeps the state's dimensions";
}

TEST(Bodies, captures_that_no_body_reads_go_away) {
  Model model = choice(branch({node("Neg", {"n"}, {"unused"}), node("Exp", {"x"}, {"b"})}),
                       branch({node("Identity", {"x"}, {"b"})}));
  EXPECT_EQ(parse_model(model).nodes.back().captures, 2);
  const Graph graph = ready(model, true);
  EXPECT_EQ(graph.nodes.size(), 1u) << "nobody reads n any more";
  EXPECT_EQ(graph.nodes.back().captures, 1);
}

TEST(Bodies, a_state_that_may_grow_has_no_dimensions_in_its_body) {
  Model model = loop();
  model.nodes[1] =
      node("Loop", {"n", "", "x"}, {"y"},
           {attribute("body", step({node("Concat", {"s", "x"}, {"t"}, {attribute("axis", int64_t{0})})}, "t"))});
  model.outputs = {value("y", {"M"})};
  const Graph graph = ready(model, true);
  const Graph& body = body_of(graph.nodes.back());
  EXPECT_FALSE(body.values[static_cast<std::size_t>(body.inputs[2])].fact.dims.has_value());
}

TEST(Control, a_loop_of_known_shapes_allocates_nothing) {
  Runner runner(ready(loop(), true), {choose_isa()});
  const std::vector<float> x = {0.5F, -1.0F, 2.0F};
  const int64_t steps = 40;
  std::vector<float> y(3);
  std::vector<float> rows(120);
  const TensorView inputs[] = {{x.data(), DType::kFloat32, Shape{3}}, {&steps, DType::kInt64, Shape{}}};
  const MutableView outputs[] = {{y.data(), DType::kFloat32, Shape{3}}, {rows.data(), DType::kFloat32, Shape{40, 3}}};
  for (int i = 0; i < 2; ++i) runner.run(inputs, outputs, nullptr);
  const std::vector<float> first = y;
  const int64_t before = counted::blocks;
  runner.run(inputs, outputs, nullptr);
  EXPECT_EQ(counted::blocks.load() - before, 0);
  EXPECT_TRUE(first == y);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(rows[117 + i], -y[i]);
}

TEST(Control, loops_in_loops_count_as_their_product) {
  for (const bool optimize : {true, false}) {
    Runner runner(ready(nested(5), optimize), {});
    const std::vector<float> x = {1.0F, -3.0F};
    const TensorView input{x.data(), DType::kFloat32, Shape{2}};
    std::vector<Tensor> outputs;
    runner.run({&input, 1}, {}, &outputs);
    EXPECT_TRUE(floats_of(outputs[0]) == std::vector<float>({33.0F, -99.0F})) << "1 + 2^5 times x";
  }
}

TEST(Control, a_loop_without_end_ends_at_the_limit) {
  Model model = loop();
  model.nodes[1] =
      node("Loop", {"", "", "x"}, {"y"}, {attribute("body", step({node("Neg", {"s"}, {"t"})}, "t"))}, "on");
  model.outputs = {value("y", {"N"})};
  const std::string bytes = model.bytes();
  SessionOptions options;
  options.max_steps = 1000;
  const Session session = Session::read(std::as_bytes(std::span(bytes)), options);
  const float x = 1.0F;
  const int64_t n = 0;
  const TensorView inputs[] = {{&x, DType::kFloat32, Shape{1}}, {&n, DType::kInt64, Shape{}}};
  try {
    (void)session.run(inputs);
    EXPECT_TRUE(false) << "it ended";
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == Code::kLimit);
    EXPECT_EQ(error.message(), "Loop \"on\": step 1000: more steps than the limit of 1000");
  }
}

TEST(Control, a_run_that_failed_leaves_the_session_whole) {
  Model model = loop();
  model.nodes[1] =
      node("Loop", {"n", "", "x"}, {"y"},
           {attribute("body", step({node("Gather", {"x", "i"}, {"g"}), node("Add", {"s", "g"}, {"t"})}, "t"))});
  model.outputs = {value("y", {"N"})};
  Runner runner(ready(model, true), {});
  const std::vector<float> x = {1.0F, 2.0F};
  const auto run = [&](int64_t steps) {
    const TensorView inputs[] = {{x.data(), DType::kFloat32, Shape{2}}, {&steps, DType::kInt64, Shape{}}};
    std::vector<Tensor> outputs;
    runner.run(inputs, {}, &outputs);
    return floats_of(outputs[0]);
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(run(2) == std::vector<float>({4.0F, 5.0F}));
    EXPECT_THROW((void)run(3), Error);
  }
}

}  // namespace
}  // namespace slipway
