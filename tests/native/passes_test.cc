// The passes: what each rewrites, what it leaves alone, and that a graph computes the same before and after.
#include "base/error.h"
#include "check.h"
#include "pass_models.h"
#include "passes/pass.h"

namespace slipway {
namespace {

using namespace check;

TEST(Passes, activations_are_fused) {
  for (const char* activation : {"Relu", "Sigmoid", "Tanh", "LeakyRelu", "HardSwish", "Clip"}) {
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

TEST(Passes, bounds_of_a_clip_are_kept_where_they_are_constant) {
  const auto clipped = [](const std::vector<std::string>& bounds) {
    std::vector<std::string> inputs = {"c"};
    inputs.insert(inputs.end(), bounds.begin(), bounds.end());
    return model_of({node("Conv", {"x", "w"}, {"c"}), node("Clip", inputs, {"y"})},
                    {random_tensor("w", {4, 3, 1, 1}, 1), floats("low", {}, {-0.25F}), floats("high", {1}, {0.5F})},
                    {"N", "3", "5", "5"});
  };
  for (const std::vector<std::string>& bounds :
       {std::vector<std::string>{}, {"low"}, {"", "high"}, {"low", "high"}, {"high", "low"}}) {
    EXPECT_EQ(optimised(clipped(bounds), {2, 3, 5, 5}, kRounding), "ConvActivation");
  }
  const Attributes attributes = run_pipeline(read(clipped({"low", "high"}))).nodes[0].attributes;
  EXPECT_EQ(std::get<float>(attributes.at("activation_alpha")), -0.25F);
  EXPECT_EQ(std::get<float>(attributes.at("activation_beta")), 0.5F);

  const Model computed =
      model_of({node("Conv", {"x", "w"}, {"c"}), node("ReduceMax", {"x"}, {"m"}, {attribute("keepdims", int64_t{0})}),
                node("Clip", {"c", "", "m"}, {"y"})},
               {random_tensor("w", {4, 3, 2, 2}, 1)}, {"N", "3", "5", "5"});
  EXPECT_EQ(optimised(computed, {2, 3, 5, 5}, kRounding), "Conv ReduceMax Clip");
}

TEST(Passes, silu_is_fused_where_nobody_else_reads_its_parts) {
  const std::vector<Message> weights = {random_tensor("w", {4, 3, 2, 2}, 1)};
  const std::vector<std::string> x = {"N", "3", "5", "5"};
  const Message conv = node("Conv", {"x", "w"}, {"c"});
  const Message sigmoid = node("Sigmoid", {"c"}, {"s"});
  for (const auto& [a, b] : {std::pair{"c", "s"}, {"s", "c"}}) {
    EXPECT_EQ(optimised(model_of({conv, sigmoid, node("Mul", {a, b}, {"y"})}, weights, x), {2, 3, 5, 5}, kRounding),
              "ConvActivation");
  }
  EXPECT_EQ(
      optimised(model_of({conv, sigmoid, node("Mul", {"c", "s"}, {"m"}), node("Add", {"m", "s"}, {"y"})}, weights, x),
                {2, 3, 5, 5}, kRounding),
      "Conv Sigmoid Mul Add");
  EXPECT_EQ(optimised(model_of({conv, node("Relu", {"c"}, {"r"}), node("Sigmoid", {"r"}, {"s"}),
                                node("Mul", {"c", "s"}, {"y"})},
                               weights, x),
                      {2, 3, 5, 5}, kRounding),
            "Conv Relu Sigmoid Mul");
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

TEST(Passes, folding_costs_no_more_than_a_load_may) {
  // A few bytes that ask for six thousand million comparisons; and for few of them, which fold.
  const auto operators = [](int64_t size) {
    return operators_of(run_pipeline(read(
        model_of({node("ConstantOfShape", {"s"}, {"c"}),
                  node("MaxPool", {"c"}, {"p"}, {attribute("kernel_shape", std::vector<int64_t>{size / 2, size / 2})}),
                  node("Add", {"p", "x"}, {"y"})},
                 {ints("s", {4}, {1, 1, size, size})}, {"1"}))));
  };
  EXPECT_EQ(operators(400), "MaxPool Add");
  EXPECT_EQ(operators(20), "Add");
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

TEST(Passes, one_convolution_is_a_network_where_its_windows_overlap) {
  const auto among_others = [](std::vector<int64_t> weights, int64_t stride) {
    const std::vector<int64_t> strides = {stride, stride};
    return groups_of(
        model_of({node("Relu", {"x"}, {"r"}), node("Conv", {"r", "w"}, {"c"}, {attribute("strides", strides)}),
                  node("Relu", {"c"}, {"d"}), node("Softmax", {"d"}, {"y"}, {attribute("axis", int64_t{1})})},
                 {random_tensor("w", weights, 1)}, {"N", "3", "6", "6"}));
  };
  EXPECT_EQ(among_others({4, 3, 1, 1}, 1), "Relu ConvActivation Softmax");
  EXPECT_EQ(among_others({4, 3, 2, 2}, 2), "Relu ConvActivation Softmax");
  EXPECT_EQ(among_others({4, 3, 2, 2}, 1), "Network Softmax");
  EXPECT_EQ(among_others({4, 3, 3, 3}, 2), "Network Softmax");
}

TEST(Passes, some_groups_of_channels_factors_and_rearranged_samples_are_in_no_network) {
  const auto alone = [](const Message& layer, std::vector<int64_t> weights, const std::vector<std::string>& x) {
    return groups_of(model_of({layer}, {random_tensor("w", weights, 1)}, x));
  };
  const Message grouped = node("Conv", {"x", "w"}, {"y"}, {attribute("group", int64_t{2})});
  EXPECT_EQ(alone(grouped, {8, 4, 3, 3}, {"N", "8", "5", "5"}), "Network");
  EXPECT_EQ(alone(grouped, {6, 3, 3, 3}, {"N", "6", "5", "5"}), "Conv");  // three fill no vector
  EXPECT_EQ(alone(grouped, {4, 1, 3, 3}, {"N", "2", "5", "5"}), "Conv");  // two for each channel
  EXPECT_EQ(alone(node("Gemm", {"x", "w"}, {"y"}, {attribute("alpha", 2.0F)}), {3, 4}, {"N", "3"}), "Gemm");
  EXPECT_EQ(alone(node("Gemm", {"x", "w"}, {"y"}), {700, 700}, {"N", "700"}), "Gemm");
  EXPECT_EQ(groups_of(model_of({node("Reshape", {"x", "sizes"}, {"r"}), node("Gemm", {"r", "w"}, {"y"})},
                               {ints("sizes", {2}, {-1, 6}), random_tensor("w", {6, 2}, 1)}, {"N", "3"})),
            "Reshape Network");
}

TEST(Passes, channels_alone_and_products_are_in_a_network) {
  const std::vector<Message> constants = {random_tensor("w", {4, 4, 1, 1}, 1), random_tensor("d", {4, 1, 3, 3}, 2),
                                          random_tensor("s", {1, 4, 1, 1}, 3), random_tensor("v", {4, 4, 1, 1}, 4),
                                          ints("rows", {1}, {2})};
  const auto with = [&](const Message& layer) {
    const Model model =
        model_of({node("Conv", {"x", "w"}, {"c"}), node("Relu", {"c"}, {"r"}), node("GlobalMaxPool", {"r"}, {"m"}),
                  node("ReduceMax", {"r", "rows"}, {"h"}), layer, node("Conv", {"l", "v"}, {"y"})},
                 constants, {"N", "4", "5", "5"});
    (void)optimised(model, {3, 4, 5, 5}, kRounding);
    return groups_of(model);
  };
  EXPECT_EQ(with(node("Conv", {"r", "d"}, {"l"}, {attribute("group", int64_t{4})})), "Network");
  EXPECT_EQ(with(node("ConvTranspose", {"r", "v"}, {"l"})), "Network");
  EXPECT_EQ(with(node("Mul", {"r", "r"}, {"l"})), "Network");
  EXPECT_EQ(with(node("Mul", {"m", "r"}, {"l"})), "Network");
  // One number for a row's pixels, constants, sums of other forms: programs have no place for them.
  EXPECT_EQ(with(node("Mul", {"r", "h"}, {"l"})), "ConvActivation ReduceMax Mul Conv");
  EXPECT_EQ(with(node("Mul", {"r", "s"}, {"l"})), "ConvActivation Mul Conv");
  EXPECT_EQ(with(node("Add", {"r", "s"}, {"l"})), "ConvActivation Add Conv");
  EXPECT_EQ(with(node("Add", {"r", "m"}, {"l"})), "Network Add Conv");
  EXPECT_EQ(with(node("Add", {"r", "r"}, {"l"})), "ConvActivation Add Conv");
}

TEST(Passes, what_programs_have_no_place_for_ends_a_network) {
  const std::vector<Message> weights = {random_tensor("w", {12, 4, 1, 1}, 1), random_tensor("v", {20, 4, 1, 1}, 2),
                                        random_tensor("u", {32, 32, 1, 1}, 3), random_tensor("d", {800, 3}, 4)};
  const std::vector<std::string> x = {"N", "4", "5", "5"};
  const auto join = [](int64_t axis) { return node("Concat", {"a", "b"}, {"c"}, {attribute("axis", axis)}); };
  const Message a = node("Conv", {"x", "w"}, {"a"});
  // Lanes of the factor lie one after the other, those of the parts do not.
  const Model gate =
      model_of({a, node("Conv", {"x", "v"}, {"b"}), join(1), node("GlobalMaxPool", {"c"}, {"p"}),
                node("Conv", {"p", "u"}, {"g"}), node("Mul", {"c", "g"}, {"m"}), node("Conv", {"m", "u"}, {"y"})},
               weights, x);
  EXPECT_EQ(groups_of(gate), "Network Mul Conv");
  (void)optimised(gate, {2, 4, 5, 5}, kRounding);
  EXPECT_EQ(
      groups_of(model_of({a, node("Relu", {"a"}, {"b"}), join(2), node("GlobalMaxPool", {"c"}, {"y"})}, weights, x)),
      "Conv Relu Concat GlobalMaxPool");
  const Model flat = model_of({a, node("Conv", {"x", "v"}, {"b"}), join(1), node("Flatten", {"c"}, {"f"}),
                               node("Relu", {"f"}, {"r"}), node("Gemm", {"r", "d"}, {"y"})},
                              weights, x);
  EXPECT_EQ(groups_of(flat), "Network Relu Network");
  (void)optimised(flat, {2, 4, 5, 5}, kRounding);
}

TEST(Passes, facts_that_are_known_are_not_set_again) {
  Graph graph = read(model_of({node("Conv", {"x", "w"}, {"c"}), node("Relu", {"c"}, {"y"})},
                              {random_tensor("w", {4, 3, 2, 2}, 1)}, {"N", "3", "H", "5"}));
  apply(graph, update_facts(graph).patch);
  EXPECT_TRUE(update_facts(graph).patch.is_empty());
}

TEST(Passes, nothing_to_do_is_said) {
  std::vector<PassRecord> log;
  (void)run_pipeline(read(model_of({node("Relu", {"x"}, {"y"})}, {}, {"N"})), &log);
  EXPECT_EQ(text_of(log), "no pass found anything to do\n");
}

}  // namespace
}  // namespace slipway
