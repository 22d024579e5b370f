// The passes: what each rewrites, what it leaves alone, and that a graph computes the same before and after.
#include <cmath>
#include <random>

#include "base/error.h"
#include "check.h"
#include "exec/runner.h"
#include "onnx_writer.h"
#include "ops/table.h"
#include "passes/infer_facts.h"
#include "passes/pipeline.h"

namespace slipway {
namespace {

using namespace check;

Graph read(const Model& model) {
  Graph graph = parse_model(model);
  for (Node& each : graph.nodes) resolve(each);
  infer_facts(graph);
  return graph;
}

// The operators that are left, in order: "Conv Relu". Of a network its nodes.
std::string operators_of(const Graph& graph) {
  std::string out;
  for (const Node& each : graph.nodes) {
    const bool is_network = each.op == "Network";
    out += concat(out.empty() ? "" : " ", is_network ? operators_of(*each.bodies().front().second) : each.op);
  }
  return out;
}

std::vector<std::string> names(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<std::string> out;
  for (const ValueId id : ids) out.push_back(graph.values[static_cast<std::size_t>(id)].name);
  return out;
}

std::vector<float> random_floats(int64_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  std::vector<float> out(static_cast<std::size_t>(count));
  for (float& each : out) each = uniform(engine);
  return out;
}

Message random_tensor(std::string_view name, const std::vector<int64_t>& dims, unsigned seed, float offset = 0.0F) {
  int64_t count = 1;
  for (const int64_t size : dims) count *= size;
  std::vector<float> data = random_floats(count, seed);
  for (float& each : data) each += offset;
  return floats(name, dims, data);
}

std::vector<Tensor> run(Graph graph, const Shape& shape) {
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
std::string optimised(const Model& model, const Shape& shape, double tolerance = 0.0) {
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

Model model_of(std::vector<Message> nodes, std::vector<Message> initializers, const std::vector<std::string>& input,
               const std::vector<std::string>& outputs = {"y"}) {
  Model model;
  model.nodes = std::move(nodes);
  model.initializers = std::move(initializers);
  model.inputs = {value("x", input)};
  // No shape is stated, so that only inference says what an output is.
  for (const std::string& name : outputs) model.outputs.push_back(Message().text(1, name));
  return model;
}

// Rounding of values of size 1 to float32, a few times over, after sums of a few dozen terms.
constexpr double kRounding = 1e-5;

std::vector<Message> statistics(int64_t channels) {
  return {random_tensor("scale", {channels}, 11), random_tensor("shift", {channels}, 12),
          random_tensor("mean", {channels}, 13), random_tensor("var", {channels}, 14, 1.5F)};
}
Message norm(const std::string& from, const std::string& to) {
  return node("BatchNormalization", {from, "scale", "shift", "mean", "var"}, {to}, {}, "norm");
}

Model with_statistics(std::vector<Message> nodes, std::vector<Message> initializers,
                      const std::vector<std::string>& input, const std::vector<std::string>& outputs = {"y"}) {
  for (const Message& each : statistics(4)) initializers.push_back(each);
  return model_of(std::move(nodes), std::move(initializers), input, outputs);
}

TEST(Passes, batch_norm_goes_into_conv_with_groups_and_without_bias) {
  EXPECT_EQ(optimised(with_statistics({node("Conv", {"x", "w", "b"}, {"c"}), norm("c", "y")},
                                      {random_tensor("w", {4, 3, 2, 2}, 1), random_tensor("b", {4}, 2)},
                                      {"N", "3", "5", "5"}),
                      {2, 3, 5, 5}, kRounding),
            "Conv");
  EXPECT_EQ(
      optimised(with_statistics({node("Conv", {"x", "w"}, {"c"}, {attribute("group", int64_t{2})}), norm("c", "y")},
                                {random_tensor("w", {4, 2, 3}, 1)}, {"N", "4", "T"}),
                {2, 4, 6}, kRounding),
      "Conv");
}

TEST(Passes, batch_norm_goes_into_transposed_conv_with_groups) {
  EXPECT_EQ(optimised(with_statistics(
                          {node("ConvTranspose", {"x", "w"}, {"c"}, {attribute("group", int64_t{2})}), norm("c", "y")},
                          {random_tensor("w", {6, 2, 2, 2}, 1)}, {"N", "6", "3", "3"}),
                      {1, 6, 3, 3}, kRounding),
            "ConvTranspose");
}

TEST(Passes, batch_norm_goes_into_gemm_with_beta_and_either_layout) {
  EXPECT_EQ(optimised(with_statistics({node("Gemm", {"x", "w", "b"}, {"g"}, {attribute("beta", 0.5F)}), norm("g", "y")},
                                      {random_tensor("w", {3, 4}, 1), random_tensor("b", {1, 4}, 2)}, {"N", "3"}),
                      {5, 3}, kRounding),
            "Gemm");
  EXPECT_EQ(
      optimised(with_statistics({node("Gemm", {"x", "w"}, {"g"}, {attribute("transB", int64_t{1})}), norm("g", "y")},
                                {random_tensor("w", {4, 3}, 1)}, {"N", "3"}),
                {5, 3}, kRounding),
      "Gemm");
}

// A Slice of one axis up to the height of x, which the graph does not know.
Message cut(const std::string& from, const std::string& to, const std::string& axis, const std::string& step = "one") {
  return node("Slice", {from, "start", "end", axis, step}, {to});
}

Model with_cuts(std::vector<Message> nodes, const std::vector<std::string>& outputs = {"y"}) {
  nodes.insert(nodes.begin(), {node("Shape", {"x"}, {"sizes"}), node("Gather", {"sizes", "which"}, {"end"})});
  return with_statistics(
      std::move(nodes),
      {random_tensor("w", {3, 4, 2, 2}, 1), ints("which", {1}, {2}), ints("start", {1}, {0}), ints("last", {1}, {-1}),
       ints("before", {1}, {-9}), ints("one", {1}, {1}), ints("two", {1}, {2}), ints("rows", {1}, {2}),
       ints("columns", {1}, {-1}), ints("channels", {1}, {1}), ints("channels_behind", {1}, {-3})},
      {"N", "3", "H", "W"}, outputs);
}

TEST(Passes, batch_norm_goes_into_transposed_conv_through_slices_of_pixels) {
  const Message conv = node("ConvTranspose", {"x", "w"}, {"c"});
  for (const Shape& shape : {Shape{2, 3, 3, 5}, Shape{1, 3, 1, 1}, Shape{0, 3, 2, 2}}) {
    const Model model =
        with_cuts({conv, cut("c", "a", "rows"), cut("a", "b", "columns"), norm("b", "n"), node("Neg", {"n"}, {"y"})});
    EXPECT_EQ(optimised(model, shape, kRounding), "Shape Gather ConvTranspose Slice Slice Neg");
    EXPECT_EQ(optimised(with_cuts({conv, cut("c", "a", "rows", "two"), norm("a", "y")}), shape, kRounding),
              "Shape Gather ConvTranspose Slice");
  }
}

TEST(Passes, batch_norm_stays_behind_slices_of_channels_or_with_other_readers) {
  const Shape shape{2, 3, 3, 5};
  const Message conv = node("ConvTranspose", {"x", "w"}, {"c"});
  const std::string stays = "Shape Gather ConvTranspose Slice BatchNormalization";
  for (const std::string axis : {"channels", "channels_behind"}) {
    const Message reversed = node("Slice", {"c", "last", "before", axis, "last"}, {"a"});
    EXPECT_EQ(optimised(with_cuts({conv, reversed, norm("a", "y")}), shape, kRounding),
              "ConvTranspose Slice BatchNormalization");
  }
  EXPECT_EQ(optimised(with_cuts({conv, cut("c", "a", "rows"), norm("a", "y"), node("Neg", {"a"}, {"z"})}, {"y", "z"}),
                      shape, kRounding),
            stays + " Neg");
  EXPECT_EQ(optimised(with_cuts({conv, cut("c", "a", "rows"), norm("a", "y")}, {"y", "a"}), shape, kRounding), stays);
  EXPECT_EQ(optimised(with_cuts({conv, cut("c", "a", "rows"), norm("a", "y"), node("Neg", {"c"}, {"z"})}, {"y", "z"}),
                      shape, kRounding),
            stays + " Neg");
}

TEST(Passes, batch_norm_stays_where_the_conv_has_another_reader_or_is_an_output) {
  const Message conv = node("Conv", {"x", "w"}, {"c"});
  const Message weights = random_tensor("w", {4, 3, 1, 1}, 1);
  EXPECT_EQ(optimised(with_statistics({conv, norm("c", "n"), node("Add", {"n", "c"}, {"y"})}, {weights},
                                      {"N", "3", "2", "2"}),
                      {1, 3, 2, 2}),
            "Conv BatchNormalization Add");
  EXPECT_EQ(
      optimised(with_statistics({conv, norm("c", "y")}, {weights}, {"N", "3", "2", "2"}, {"y", "c"}), {1, 3, 2, 2}),
      "Conv BatchNormalization");
}

TEST(Passes, batch_norm_with_a_forbidden_variance_stays) {
  Model model = with_statistics({node("Conv", {"x", "w"}, {"c"}), norm("c", "y")}, {random_tensor("w", {4, 3, 1}, 1)},
                                {"N", "3", "T"});
  model.initializers.back() = floats("var", {4}, {1.0F, -1.0F, 1.0F, 1.0F});
  EXPECT_EQ(operators_of(run_pipeline(read(model))), "Conv BatchNormalization");
}

TEST(Passes, activations_are_fused) {
  for (const char* activation : {"Relu", "Sigmoid", "Tanh", "LeakyRelu"}) {
    EXPECT_EQ(optimised(model_of({node("Conv", {"x", "w"}, {"c"}), node(activation, {"c"}, {"y"})},
                                 {random_tensor("w", {4, 3, 2, 2}, 1)}, {"N", "3", "5", "5"}),
                        {2, 3, 5, 5}, kRounding),
              "ConvActivation");
    EXPECT_EQ(optimised(model_of({node("Gemm", {"x", "w"}, {"g"}, {attribute("alpha", 0.5F)}),
                                  node(activation, {"g"}, {"y"})},
                                 {random_tensor("w", {3, 4}, 1)}, {"N", "3"}),
                        {2, 3}, kRounding),
              "GemmActivation");
  }
}

TEST(Passes, the_slope_of_a_leaky_relu_is_kept_beside_alpha_of_gemm) {
  const Model model = model_of({node("Gemm", {"x", "w"}, {"g"}, {attribute("alpha", 2.0F)}),
                                node("LeakyRelu", {"g"}, {"y"}, {attribute("alpha", 0.25F)})},
                               {random_tensor("w", {3, 4}, 1)}, {"N", "3"});
  EXPECT_EQ(optimised(model, {2, 3}, kRounding), "GemmActivation");
  const Attributes attributes = run_pipeline(read(model)).nodes[0].attributes;
  EXPECT_EQ(std::get<float>(attributes.at("alpha")), 2.0F);
  EXPECT_EQ(std::get<float>(attributes.at("activation_alpha")), 0.25F);
}

// Row numbers -2 to 2 from x, their rows, and a GRU of these.
std::vector<Message> embedded_gru(const std::string& data, std::vector<Message> more = {}) {
  std::vector<Message> nodes = {node("Mul", {"x", "three"}, {"m"}),
                                node("Cast", {"m"}, {"i"}, {attribute("to", int64_t{7})}),
                                node("Gather", {data, "i"}, {"e"}),
                                node("GRU", {"e", "w", "r", "b"}, {"", "y"}, {attribute("hidden_size", int64_t{5})})};
  nodes.insert(nodes.end(), more.begin(), more.end());
  return nodes;
}

std::vector<Message> embedded_weights(const std::vector<int64_t>& table) {
  return {floats("three", {}, {3.0F}), random_tensor("table", table, 1), random_tensor("w", {1, 15, 4}, 2),
          random_tensor("r", {1, 15, 5}, 3), random_tensor("b", {1, 30}, 4)};
}

TEST(Passes, rows_of_a_constant_table_are_looked_up_by_the_gru_itself) {
  EXPECT_EQ(optimised(model_of(embedded_gru("table"), embedded_weights({3, 4}), {"T", "N"}), {6, 2}, kRounding),
            "Mul Cast EmbeddedGRU");
}

TEST(Passes, rows_that_others_read_too_stay_gathered) {
  EXPECT_EQ(optimised(model_of(embedded_gru("table", {node("Neg", {"e"}, {"z"})}), embedded_weights({3, 4}), {"T", "N"},
                               {"y", "z"}),
                      {6, 2}),
            "Mul Cast Gather GRU Neg");
}

TEST(Passes, matmul_and_add_become_gemm_where_the_sum_is_not_larger) {
  const Message product = node("MatMul", {"x", "w"}, {"m"});
  const Message weights = random_tensor("w", {3, 4}, 1);
  for (const std::vector<int64_t>& dims : std::vector<std::vector<int64_t>>{{4}, {1, 4}, {1}, {}}) {
    EXPECT_EQ(optimised(model_of({product, node("Add", {"b", "m"}, {"y"})}, {weights, random_tensor("b", dims, 2)},
                                 {"N", "3"}),
                        {2, 3}, kRounding),
              "Gemm");
  }
  EXPECT_EQ(optimised(model_of({product, node("Add", {"m", "b"}, {"y"})}, {weights, random_tensor("b", {5, 1, 4}, 2)},
                               {"N", "3"}),
                      {2, 3}),
            "MatMul Add");
  EXPECT_EQ(optimised(model_of({product, node("Add", {"m", "b"}, {"y"})}, {weights, random_tensor("b", {2, 4}, 2)},
                               {"N", "3"}),
                      {1, 3}),
            "MatMul Add");
  EXPECT_EQ(optimised(model_of({product, node("Add", {"m", "b"}, {"y"})}, {weights, random_tensor("b", {4}, 2)},
                               {"N", "T", "3"}),
                      {2, 2, 3}),
            "MatMul Add");
}

TEST(Passes, a_chain_of_constants_folds_in_one_sweep) {
  std::vector<PassRecord> log;
  const Graph graph = run_pipeline(read(model_of({node("Neg", {"a"}, {"b"}), node("Abs", {"b"}, {"c"}),
                                                  node("Sqrt", {"c"}, {"d"}), node("Add", {"x", "d"}, {"y"})},
                                                 {floats("a", {1}, {4.0F})}, {"N"})),
                                   &log);
  EXPECT_EQ(operators_of(graph), "Add");
  ASSERT_TRUE(!log.empty());
  EXPECT_EQ(log[0].pass, "fold_constants");
  EXPECT_EQ(log[0].notes.size(), 3U);
}

TEST(Passes, a_node_that_would_fail_or_be_huge_is_not_folded) {
  EXPECT_EQ(operators_of(run_pipeline(read(model_of({node("Gather", {"a", "i"}, {"g"}), node("Add", {"x", "g"}, {"y"})},
                                                    {floats("a", {2}, {1.0F, 2.0F}), ints("i", {1}, {9})}, {"N"})))),
            "Gather Add");
  EXPECT_EQ(operators_of(run_pipeline(
                read(model_of({node("Expand", {"a", "s"}, {"g"}), node("Add", {"x", "g"}, {"y"})},
                              {floats("a", {1}, {1.0F}), ints("s", {2}, {1 << 20, 1 << 20})}, {"N", "1"})))),
            "Expand Add");
}

TEST(Passes, identities_of_every_kind_go) {
  const Message shape = ints("s", {2}, {0, 3});
  EXPECT_EQ(
      optimised(model_of({node("Identity", {"x"}, {"a"}), node("Reshape", {"a", "s"}, {"b"}),
                          node("Transpose", {"b"}, {"c"}, {attribute("perm", std::vector<int64_t>{0, 1})}),
                          node("Cast", {"c"}, {"d"}, {attribute("to", int64_t{1})}), node("Pad", {"d", "pads"}, {"e"}),
                          node("Concat", {"e"}, {"f"}, {attribute("axis", int64_t{0})}), node("Dropout", {"f"}, {"g"}),
                          node("Relu", {"g"}, {"y"})},
                         {shape, ints("pads", {4}, {0, 0, 0, 0})}, {"N", "3"}),
                {2, 3}),
      "Relu");
}

TEST(Passes, a_slice_that_reverses_is_no_identity) {
  EXPECT_EQ(optimised(model_of({node("Slice", {"x", "from", "to", "axes", "steps"}, {"y"})},
                               {ints("from", {1}, {2}), ints("to", {1}, {-9}), ints("axes", {1}, {1}),
                                ints("steps", {1}, {-1})},
                               {"N", "3"}),
                      {2, 3}),
            "Slice");
}

TEST(Passes, outputs_that_are_inputs_constants_or_shared_survive) {
  const Model model =
      model_of({node("Identity", {"x"}, {"y"}), node("Identity", {"w"}, {"z"}), node("Relu", {"x"}, {"r"}),
                node("Identity", {"r"}, {"o1"}), node("Identity", {"r"}, {"o2"})},
               {floats("w", {2}, {1.0F, 2.0F})}, {"N", "2"}, {"y", "z", "o1", "o2", "x", "w"});
  EXPECT_EQ(optimised(model, {3, 2}), "Identity Relu Identity");
}

TEST(Passes, an_identity_at_the_output_leaves_its_name_to_the_node_before) {
  EXPECT_EQ(optimised(model_of({node("Relu", {"x"}, {"r"}), node("Neg", {"r"}, {"n"}), node("Identity", {"r"}, {"y"})},
                               {}, {"N"}, {"y", "n"}),
                      {3}),
            "Relu Neg");
}

TEST(Passes, a_long_chain_of_identities_goes_in_one_round) {
  std::vector<Message> nodes;
  std::string last = "x";
  for (int i = 0; i < 20'000; ++i) {
    const std::string next = concat("v", i);
    nodes.push_back(node("Identity", {last}, {next}));
    last = next;
  }
  nodes.push_back(node("Relu", {last}, {"y"}));
  std::vector<PassRecord> log;
  EXPECT_EQ(operators_of(run_pipeline(read(model_of(std::move(nodes), {}, {"N"})), &log)), "Relu");
  EXPECT_EQ(log.back().round, 1);
}

TEST(Passes, reshapes_merge_unless_a_zero_copies_a_size) {
  const Message first = node("Reshape", {"x", "s1"}, {"a"});
  const Message second = node("Reshape", {"a", "s2"}, {"y"});
  EXPECT_EQ(optimised(model_of({first, second}, {ints("s1", {1}, {-1}), ints("s2", {2}, {-1, 2})}, {"N", "4"}), {3, 4}),
            "Reshape");
  EXPECT_EQ(
      optimised(model_of({first, second}, {ints("s1", {2}, {-1, 2}), ints("s2", {3}, {0, 1, 2})}, {"N", "4"}), {3, 4}),
      "Reshape Reshape");
}

TEST(Passes, what_nobody_reads_goes) {
  EXPECT_EQ(
      optimised(model_of({node("Relu", {"x"}, {"y"}), node("Neg", {"x"}, {"a"}), node("Abs", {"a"}, {"b"})}, {}, {"N"}),
                {3}),
      "Relu");
}

TEST(Passes, unread_outputs_of_a_gru_are_not_made) {
  const Model model = model_of({node("GRU", {"x", "w", "r"}, {"all", "last"}, {attribute("hidden_size", int64_t{2})}),
                                node("Relu", {"last"}, {"y"})},
                               {random_tensor("w", {1, 6, 3}, 1), random_tensor("r", {1, 6, 2}, 2)}, {"T", "N", "3"});
  EXPECT_EQ(optimised(model, {4, 2, 3}), "GRU Relu");
  EXPECT_EQ(run_pipeline(read(model)).nodes[0].outputs[0], kNoValue);
}

TEST(Passes, a_stated_type_that_is_wrong_is_refused) {
  Model model = model_of({node("Cast", {"x"}, {"y"}, {attribute("to", int64_t{7})})}, {}, {"N"});
  model.outputs = {value("y", {"N"}, 1)};
  EXPECT_THROW(read(model), Error);
}

// The operators that stand outside networks, which are written as such.
std::string groups_of(const Model& model) {
  std::string out;
  for (const Node& each : run_pipeline(read(model)).nodes) out += concat(out.empty() ? "" : " ", each.op);
  return out;
}

TEST(Passes, layers_that_treat_samples_alike_become_a_network) {
  const std::vector<Message> layers = {
      node("Conv", {"x", "w"}, {"c"}),
      node("MaxPool", {"c"}, {"p"}, {attribute("kernel_shape", std::vector<int64_t>{2, 2})}),
      node("Flatten", {"p"}, {"f"}), node("Gemm", {"f", "v"}, {"y"})};
  const std::vector<Message> weights = {random_tensor("w", {4, 3, 2, 2}, 1), random_tensor("v", {36, 2}, 2)};
  const Model model = model_of(layers, weights, {"N", "3", "5", "5"});
  EXPECT_EQ(groups_of(model), "Network");
  EXPECT_EQ(optimised(model, {3, 3, 5, 5}, kRounding), "Conv MaxPool Flatten Gemm");
}

TEST(Passes, a_network_ends_before_what_it_cannot_hold_and_another_begins) {
  const Model model =
      model_of({node("Conv", {"x", "w"}, {"t"}), node("Conv", {"t", "v"}, {"a"}),
                node("Softmax", {"a"}, {"b"}, {attribute("axis", int64_t{1})}), node("Conv", {"b", "v"}, {"c"}),
                node("GlobalMaxPool", {"c"}, {"m"}), node("Relu", {"m"}, {"y"})},
               {random_tensor("w", {4, 3, 1, 1}, 1), random_tensor("v", {4, 4, 1, 1}, 2)}, {"N", "3", "5", "5"});
  EXPECT_EQ(groups_of(model), "Network Softmax Network");
  EXPECT_EQ(optimised(model, {2, 3, 5, 5}, kRounding), "Conv Conv Softmax Conv GlobalMaxPool Relu");
}

TEST(Passes, one_convolution_among_element_wise_operators_is_no_network) {
  const Model model = model_of({node("Relu", {"x"}, {"r"}), node("Conv", {"r", "w"}, {"c"}), node("Relu", {"c"}, {"d"}),
                                node("Add", {"d", "d"}, {"y"})},
                               {random_tensor("w", {4, 3, 1, 1}, 1)}, {"N", "3", "5", "5"});
  EXPECT_EQ(groups_of(model), "Relu ConvActivation Add");
  EXPECT_EQ(optimised(model, {2, 3, 5, 5}, kRounding), "Relu ConvActivation Add");
}

TEST(Passes, groups_of_channels_factors_and_rearranged_samples_are_in_no_network) {
  const auto alone = [](const Message& layer, std::vector<int64_t> weights, const std::vector<std::string>& x) {
    return groups_of(model_of({layer}, {random_tensor("w", weights, 1)}, x));
  };
  EXPECT_EQ(
      alone(node("Conv", {"x", "w"}, {"y"}, {attribute("group", int64_t{2})}), {4, 2, 1, 1}, {"N", "4", "5", "5"}),
      "Conv");
  EXPECT_EQ(alone(node("Gemm", {"x", "w"}, {"y"}, {attribute("alpha", 2.0F)}), {3, 4}, {"N", "3"}), "Gemm");
  EXPECT_EQ(alone(node("Gemm", {"x", "w"}, {"y"}), {700, 700}, {"N", "700"}), "Gemm");
  EXPECT_EQ(groups_of(model_of({node("Reshape", {"x", "sizes"}, {"r"}), node("Gemm", {"r", "w"}, {"y"})},
                               {ints("sizes", {2}, {-1, 6}), random_tensor("w", {6, 2}, 1)}, {"N", "3"})),
            "Reshape Network");
}

TEST(Passes, nothing_to_do_is_said) {
  std::vector<PassRecord> log;
  (void)run_pipeline(read(model_of({node("Relu", {"x"}, {"y"})}, {}, {"N"})), &log);
  EXPECT_EQ(text_of(log), "no pass found anything to do\n");
}

}  // namespace
}  // namespace slipway
