// The reader: what a right file becomes, and how each wrong one is refused.
#include "parse/parse.h"

#include "base/error.h"
#include "check.h"
#include "onnx_writer.h"

namespace slipway {
namespace {

using namespace check;

// y = Relu(x) with a free choice of what else stands in the file.
Model relu() {
  Model model;
  model.nodes = {node("Relu", {"x"}, {"y"}, {}, "act")};
  model.inputs = {value("x", {"N", "3"})};
  model.outputs = {value("y", {"N", "3"})};
  return model;
}

// The refusal's code and message; an empty message where the file is read.
struct Refusal {
  Code code = Code::kUsage;
  std::string message;

  [[nodiscard]] bool says(std::string_view words) const { return message.find(words) != std::string::npos; }
};

Refusal refusal(const std::string& bytes, const ParseLimits& limits = {}) {
  try {
    (void)parse_text(bytes, limits);
    return {};
  } catch (const Error& error) {
    return {error.code(), error.message()};
  }
}
Refusal refusal(const Model& model, const ParseLimits& limits = {}) { return refusal(model.bytes(), limits); }

#define EXPECT_REFUSED(what, expected_code, words)                                         \
  if (const Refusal got = refusal(what); got.code == (expected_code) && got.says(words)) { \
  } else                                                                                   \
    ::slipway::check::Failure(__FILE__, __LINE__, false)                                   \
        << "expected a refusal with " << words << ", got: " << got.message

const Tensor& constant(const Graph& graph, std::string_view name) {
  for (const Value& value : graph.values) {
    if (value.name == name && value.fact.constant) return *value.fact.constant;
  }
  fail(Code::kUsage, "no constant ", name);
}

TEST(Parse, a_small_model_becomes_a_graph) {
  const Graph graph = parse_model(relu());
  EXPECT_EQ(graph.text(),
            "input x : float32 [N, 3]\n"
            "nodes\n"
            "  Relu \"act\" (x) -> (y) : float32 [N, 3]\n"
            "output y : float32 [N, 3]\n");
  EXPECT_EQ(graph.nodes[0].opset, 20);
}

TEST(Parse, typed_data_is_read_packed_and_not) {
  Model model = relu();
  Message packed;
  packed.varint(7).varint(static_cast<uint64_t>(int64_t{-2}));
  model.initializers = {
      Message().number(1, 2).number(2, 7).text(8, "i64").message(7, packed),
      Message().number(1, 2).number(2, 3).text(8, "i8").number(5, -128).number(5, 127),
      Message().number(1, 2).number(2, 9).text(8, "b").number(5, 1).number(5, 0),
      Message().number(1, 2).number(2, 1).text(8, "f").real(4, 0.5F).text(4, raw_bytes<float>({2.0F})),
      Message().number(1, 1).number(2, 11).text(8, "d").text(10, raw_bytes<double>({0.1})),
  };
  const Graph graph = parse_model(model);
  EXPECT_EQ(constant(graph, "i64").as<int64_t>()[1], -2);
  EXPECT_EQ(constant(graph, "i8").as<int8_t>()[0], -128);
  EXPECT_EQ(constant(graph, "b").as<bool>()[0], true);
  EXPECT_EQ(constant(graph, "f").as<float>()[1], 2.0F);
  EXPECT_EQ(constant(graph, "d").as<double>()[0], 0.1);
}

TEST(Parse, a_raw_bool_of_any_byte_is_a_valid_bool) {
  Model model = relu();
  model.initializers = {tensor("b", 9, {3}, std::string("\x00\x02\xFF", 3))};
  const Graph graph = parse_model(model);
  const auto* bytes = constant(graph, "b").as<uint8_t>();
  EXPECT_EQ(bytes[0] + bytes[1] + bytes[2], 2);
}

TEST(Parse, constant_nodes_become_constants) {
  Model model = relu();
  model.nodes.push_back(node("Constant", {}, {"f"}, {attribute("value_float", 2.5F)}));
  model.nodes.push_back(node("Constant", {}, {"is"}, {attribute("value_ints", std::vector<int64_t>{4, 5})}));
  const Graph graph = parse_model(model);
  EXPECT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(constant(graph, "f").as<float>()[0], 2.5F);
  EXPECT_EQ(constant(graph, "is").as<int64_t>()[1], 5);
}

TEST(Parse, an_initializer_listed_as_input_is_a_constant) {
  Model model = relu();
  model.inputs.push_back(value("w", {"1"}));
  model.initializers = {floats("w", {1}, {1.0F})};
  EXPECT_EQ(parse_model(model).inputs.size(), 1U);
}

TEST(Parse, graph_outputs_may_be_inputs_or_constants) {
  Model model = relu();
  model.outputs = {value("x", {"N", "3"}), value("w", {"1"})};
  model.initializers = {floats("w", {1}, {1.0F})};
  EXPECT_EQ(parse_model(model).outputs.size(), 2U);
}

TEST(Parse, unknown_fields_are_passed_over) {
  Model model = relu();
  model.extra.number(99, 5).text(100, "later").real(101, 1.0F);
  model.graph_extra.text(77, "later");
  model.nodes[0].number(55, 1);
  EXPECT_EQ(refusal(model).message, "");
}

TEST(Parse, unnamed_nodes_are_named_by_operator_and_index) {
  Model model = relu();
  model.nodes = {Message().text(1, "x").text(2, "y").text(4, "Relu")};
  EXPECT_EQ(parse_model(model).nodes[0].title(), "Relu \"Relu_0\"");
}

TEST(Parse, versions_outside_the_range_are_refused_with_the_numbers) {
  for (const int64_t opset : {int64_t{0}, int64_t{12}, int64_t{25}, (int64_t{1} << 32) + 20}) {
    Model model = relu();
    model.opset = opset;
    EXPECT_REFUSED(model, Code::kUnsupported, concat("opset ", opset, " is not supported, supported are 13 to 24"));
  }
  Model model = relu();
  model.ir_version = 99;
  EXPECT_REFUSED(model, Code::kUnsupported, "IR version 99");
  model.ir_version = 0;
  EXPECT_REFUSED(model, Code::kModel, "is not an ONNX model");
}

TEST(Parse, what_a_model_cannot_hold_is_refused_by_name) {
  Model model = relu();
  model.extra = Message().message(25, Message().text(1, "f"));
  EXPECT_REFUSED(model, Code::kUnsupported, "onnx.inliner");

  model = relu();
  model.extra = Message().message(8, Message().text(1, "ai.onnx").number(2, 13));
  EXPECT_REFUSED(model, Code::kModel, "imported twice");

  model = relu();
  model.nodes[0].message(5, Message().text(1, "body").message(6, Message()).number(20, 5));
  EXPECT_REFUSED(model, Code::kModel, "Relu \"act\": attribute \"body\": the graph has no outputs");

  model = relu();
  model.graph_extra = Message().message(15, Message().message(1, floats("sp", {1}, {1.0F})));
  EXPECT_REFUSED(model, Code::kUnsupported, "sparse initializer \"sp\"");

  model = relu();
  model.nodes[0].text(7, "slipway");
  EXPECT_REFUSED(model, Code::kModel, "engine's own");

  model = relu();
  model.nodes[0].text(7, "com.example");
  EXPECT_REFUSED(model, Code::kModel, "domain \"com.example\" is not among the opsets");

  model = relu();
  model.inputs = {value("x", {"N"}, 10)};
  EXPECT_REFUSED(model, Code::kUnsupported, "graph input \"x\" is float16");
}

TEST(Parse, external_data_of_bytes_are_refused_with_what_to_do) {
  Model model = relu();
  model.initializers = {Message().number(2, 1).text(8, "w").number(14, 1)};
  EXPECT_REFUSED(model, Code::kUnsupported, "tensor \"w\": keeps its data in another file");
  EXPECT_REFUSED(model, Code::kUnsupported, "save it as one file");
  model.initializers = {Message().number(2, 1).text(8, "w").number(14, 7)};
  EXPECT_REFUSED(model, Code::kModel, "has data location 7, expected 0 or 1");
}

TEST(Parse, tensors_hold_as_much_as_their_shape_says) {
  Model model = relu();
  model.initializers = {floats("w", {2, 2}, {1.0F})};
  EXPECT_REFUSED(model, Code::kModel, "tensor \"w\": holds 4 bytes, but float32 [2, 2] has 16");
  model.initializers = {Message().number(1, 3).number(2, 7).text(8, "w").number(7, 1)};
  EXPECT_REFUSED(model, Code::kModel, "holds 1 elements, but its shape [3] has 3");
  model.initializers = {Message().number(1, 1).number(2, 2).text(8, "w").number(5, 256)};
  EXPECT_REFUSED(model, Code::kModel, "element 256 does not fit uint8");
  model.initializers = {floats("w", {-1}, {})};
  EXPECT_REFUSED(model, Code::kModel, "size -1 is negative");
}

TEST(Parse, sizes_that_overflow_are_refused_before_memory_is_taken) {
  const int64_t large = int64_t{1} << 62;
  for (const std::vector<int64_t>& dims : std::vector<std::vector<int64_t>>{
           {large, large}, {large, 4}, {0, large, large}, {int64_t{1} << 32, int64_t{1} << 32}, {INT64_MAX}}) {
    Model model = relu();
    model.initializers = {tensor("w", 1, dims, "")};
    EXPECT_REFUSED(model, Code::kLimit, "2^48");
  }
  Model model = relu();
  model.inputs = {value("x", {"4611686018427387904", "4"})};
  EXPECT_REFUSED(model, Code::kLimit, "2^48");
  model = relu();
  model.initializers = {tensor("w", 1, {int64_t{1} << 40}, "")};
  EXPECT_REFUSED(model, Code::kLimit, "the limit is");
  model.initializers = {floats("w", {1, 1, 1, 1, 1, 1, 1, 1, 1}, {1.0F})};
  EXPECT_REFUSED(model, Code::kUnsupported, "more than 8 dimensions");
}

TEST(Parse, order_and_names_of_values_are_checked) {
  Model model = relu();
  model.nodes = {node("Relu", {"z"}, {"y"}, {}, "late"), node("Relu", {"x"}, {"z"})};
  EXPECT_REFUSED(model, Code::kModel, "Relu \"late\": reads value \"z\", which no node before it makes");
  model.nodes = {node("Add", {"x", "y"}, {"y"}, {}, "loop")};
  EXPECT_REFUSED(model, Code::kModel, "Add \"loop\"");
  model.nodes = {node("Relu", {"x"}, {"y"}), node("Relu", {"x"}, {"y"}, {}, "again")};
  EXPECT_REFUSED(model, Code::kModel, "Relu \"again\": makes value \"y\", which is already there");
  model.nodes = {node("Relu", {"x"}, {"x"}), node("Relu", {"x"}, {"y"})};
  EXPECT_REFUSED(model, Code::kModel, "which is already there");
  model = relu();
  model.outputs.push_back(value("nobody", {}));
  EXPECT_REFUSED(model, Code::kModel, "graph output \"nobody\" is made by no node");
  model = relu();
  model.inputs.push_back(model.inputs[0]);
  EXPECT_REFUSED(model, Code::kModel, "graph input \"x\" stands twice");
  model = relu();
  model.outputs.push_back(model.outputs[0]);
  EXPECT_REFUSED(model, Code::kModel, "graph output \"y\" stands twice");
  model = relu();
  model.outputs.clear();
  EXPECT_REFUSED(model, Code::kModel, "no outputs");
}

TEST(Parse, names_are_utf8_and_quoted_safely) {
  Model model = relu();
  model.inputs = {value(std::string("x\xFF"), {"N"})};
  EXPECT_REFUSED(model, Code::kModel, "\"x\\xff\" is not UTF-8");
  model.inputs = {value(std::string("x\0y", 3), {"N"})};
  EXPECT_REFUSED(model, Code::kModel, "holds NUL");
  model = relu();
  model.nodes = {node("Relu", {"\x1B[31m"}, {"y"})};
  EXPECT_REFUSED(model, Code::kModel, "\"\\x1b[31m\"");
  model.nodes = {node("Re\nlu", {"x"}, {"y"})};
  EXPECT_REFUSED(model, Code::kModel, "operator \"Re\\x0alu\" is not an identifier");
  model = relu();
  model.inputs = {value("x", {"N\n"})};
  EXPECT_REFUSED(model, Code::kModel, "control character");
  model = relu();
  model.nodes[0] = node("Relu", {"x"}, {"y"}, {}, std::string(5000, 'n'));
  EXPECT_REFUSED(model, Code::kLimit, "has 5000 bytes, the limit is 4096");
}

TEST(Parse, metadata_is_kept_and_a_key_stands_once) {
  Model model = relu();
  const Message entry = Message().text(1, "slipway.format").text(2, "1");
  model.extra.message(14, entry);
  EXPECT_EQ(parse_model(model).metadata.at("slipway.format"), "1");
  model.extra.message(14, entry);
  EXPECT_REFUSED(model, Code::kModel, "stands twice");
}

TEST(Parse, limits_are_refused_with_the_number) {
  Model model = relu();
  model.nodes = {node("Relu", {"x"}, {"z"}), node("Relu", {"z"}, {"y"})};
  ParseLimits limits;
  limits.max_nodes = 1;
  EXPECT_TRUE(refusal(model, limits).says("more than 1 nodes"));
  limits = {};
  limits.max_values = 2;
  EXPECT_TRUE(refusal(model, limits).says("more than 2 values"));
  limits = {};
  limits.max_constant_bytes = 7;
  model.initializers = {floats("w", {2}, {1.0F, 2.0F})};
  EXPECT_TRUE(refusal(model, limits).says("brings the constants to 8 bytes, the limit is 7"));
}

TEST(Parse, no_prefix_of_a_model_is_read_as_the_whole) {
  const std::string whole = relu().bytes();
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    EXPECT_TRUE(!refusal(whole.substr(0, size)).message.empty()) << "a prefix of " << size << " bytes";
  }
}

}  // namespace
}  // namespace slipway
