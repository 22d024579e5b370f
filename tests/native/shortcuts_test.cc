// Steps that a plan joins: where it may, that the result has the same bits, and where it may not.
#include "plan/shortcuts.h"

#include <cstring>

#include "check.h"
#include "pass_models.h"

namespace slipway {
namespace {

using namespace check;

std::string steps_of(const Graph& graph, const Shape& shape) {
  const TensorView x{nullptr, DType::kFloat32, shape};
  std::string out;
  for (const Step& step : make_plan(graph, {&x, 1}, choose_isa()).steps) {
    out += concat(out.empty() ? "" : " ", step.node != nullptr ? step.node->op : "copy");
  }
  return out;
}

std::vector<Tensor> run_on(const Graph& graph, const Shape& shape, Isa isa) {
  const std::vector<float> values = random_floats(shape.count(), 7);
  const TensorView x{values.data(), DType::kFloat32, shape};
  std::vector<Tensor> outputs;
  Runner(graph, {isa, nullptr}).run({&x, 1}, {}, &outputs);
  return outputs;
}

// The steps for this shape. The first output must have the bits that it has where `between` is an output too, so that
// nothing can be joined.
std::string joined(const Model& model, const std::string& between, const Shape& shape) {
  Model parted = model;
  parted.outputs.push_back(Message().text(1, between));
  const Graph graph = read(model);
  for (const Isa isa : {Isa::kScalar, choose_isa()}) {
    const Tensor got = std::move(run_on(graph, shape, isa)[0]);
    const Tensor want = std::move(run_on(read(parted), shape, isa)[0]);
    EXPECT_TRUE(got.shape() == want.shape());
    const auto bytes = static_cast<std::size_t>(want.view().bytes());
    EXPECT_TRUE(std::memcmp(got.view().data, want.view().data, bytes) == 0) << "other bits on " << name_of(isa);
  }
  return steps_of(graph, shape);
}

Model pooled(const std::vector<int64_t>& pads, const std::vector<Message>& attributes, const std::string& mode = "edge",
             const std::string& op = "AveragePool") {
  std::vector<Message> all = attributes;
  all.push_back(attribute("kernel_shape", std::vector<int64_t>{2, 3}));
  all.push_back(attribute("strides", std::vector<int64_t>{2, 2}));
  return check::model_of({node("Pad", {"x", "pads"}, {"p"}, {attribute("mode", mode)}), node(op, {"p"}, {"y"}, all)},
                         {ints("pads", {static_cast<int64_t>(pads.size())}, pads)}, {"N", "3", "H", "W"});
}

TEST(Shortcuts, padding_that_no_window_reads_is_not_made) {
  const std::vector<int64_t> behind = {0, 0, 0, 0, 0, 0, 1, 1};
  for (const std::string op : {"AveragePool", "MaxPool"}) {
    const Model model = pooled(behind, {}, "edge", op);
    EXPECT_EQ(joined(model, "p", {2, 3, 6, 9}), op);
    EXPECT_EQ(joined(model, "p", {2, 3, 7, 9}), "Pad " + op) << "the last row is read";
    EXPECT_EQ(joined(model, "p", {2, 3, 6, 8}), "Pad " + op) << "the last column is read";
    EXPECT_EQ(joined(model, "p", {2, 3, 1, 2}), "Pad " + op) << "smaller than a window";
  }
  EXPECT_EQ(joined(pooled(behind, {}, "constant"), "p", {1, 3, 6, 9}), "AveragePool");
}

TEST(Shortcuts, padding_that_windows_reach_or_that_moves_them_is_made) {
  const std::string both = "Pad AveragePool";
  const std::vector<int64_t> behind = {0, 0, 0, 0, 0, 0, 1, 1};
  EXPECT_EQ(joined(pooled({0, 0, 1, 0, 0, 0, 1, 1}, {}), "p", {2, 3, 6, 9}), both);
  EXPECT_EQ(joined(pooled({0, 0, 1, 0, 0, 0, -1, 0}, {}, "constant"), "p", {2, 3, 6, 9}), both);
  EXPECT_EQ(joined(pooled({0, 0, 0, 0, 0, 1, 1, 1}, {}), "p", {2, 3, 6, 9}), both) << "a channel more";
  EXPECT_EQ(joined(pooled(behind, {attribute("ceil_mode", int64_t{1})}), "p", {2, 3, 6, 9}), both);
  EXPECT_EQ(joined(pooled(behind, {attribute("pads", std::vector<int64_t>{0, 1, 0, 1})}), "p", {2, 3, 6, 9}), both);
  EXPECT_EQ(joined(pooled(behind, {attribute("auto_pad", std::string("SAME_UPPER"))}), "p", {2, 3, 5, 9}), both);
  Model shared = pooled(behind, {});
  shared.nodes.push_back(node("Neg", {"p"}, {"n"}));
  shared.outputs.push_back(Message().text(1, "n"));
  EXPECT_EQ(steps_of(read(shared), {2, 3, 6, 9}), both + " Neg");
}

Model transposed(const std::vector<Message>& attributes, const std::vector<int64_t>& starts,
                 const std::vector<int64_t>& ends, const std::vector<int64_t>& axes, int64_t step = 1) {
  std::vector<Message> all = attributes;
  all.push_back(attribute("strides", std::vector<int64_t>{2, 2}));
  std::vector<Message> nodes = {node("ConvTranspose", {"x", "w", "b"}, {"c"}, all)};
  std::string last = "c";
  std::vector<Message> constants = {random_tensor("w", {3, 5, 3, 2}, 1), random_tensor("b", {5}, 2),
                                    ints("step", {1}, {step})};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::string id = std::to_string(i);
    constants.push_back(ints("start" + id, {1}, {starts[i]}));
    constants.push_back(ints("end" + id, {1}, {ends[i]}));
    constants.push_back(ints("axis" + id, {1}, {axes[i]}));
    nodes.push_back(node("Slice", {last, "start" + id, "end" + id, "axis" + id, "step"}, {"s" + id}));
    last = "s" + id;
  }
  nodes.push_back(node("Identity", {last}, {"y"}));
  return check::model_of(nodes, constants, {"N", "3", "H", "W"});
}

TEST(Shortcuts, rows_and_columns_that_are_left_out_are_not_made) {
  const Shape shape{2, 3, 5, 18};  // becomes 11 by 36
  EXPECT_EQ(joined(transposed({}, {0, 0}, {10, 33}, {2, 3}), "c", shape), "ConvTranspose");
  EXPECT_EQ(joined(transposed({}, {0}, {-4}, {-1}), "c", shape), "ConvTranspose");
  EXPECT_EQ(joined(transposed({}, {0, 0}, {1, 1}, {2, 3}), "c", shape), "ConvTranspose");
  const Message more = attribute("output_padding", std::vector<int64_t>{1, 1});
  const Message pads = attribute("pads", std::vector<int64_t>{1, 0, 1, 1});
  EXPECT_EQ(joined(transposed({more, pads}, {0, 0}, {9, 35}, {2, 3}), "c", shape), "ConvTranspose");
}

TEST(Shortcuts, what_a_slice_moves_or_skips_is_made) {
  const Shape shape{2, 3, 5, 18};
  const std::string both = "ConvTranspose Slice";
  EXPECT_EQ(joined(transposed({}, {1}, {10}, {2}), "c", shape), both);
  EXPECT_EQ(joined(transposed({}, {0}, {10}, {2}, 2), "c", shape), both);
  EXPECT_EQ(joined(transposed({}, {-1}, {-9}, {2}, -1), "c", shape), both);
  EXPECT_EQ(joined(transposed({}, {0}, {4}, {1}), "c", shape), both) << "channels";
  EXPECT_EQ(joined(transposed({}, {0}, {1}, {0}), "c", shape), both) << "images";
  EXPECT_EQ(joined(transposed({}, {0}, {0}, {2}), "c", shape), "ConvTranspose")
      << "nothing is left, so that nobody slices";
  const Message sized = attribute("output_shape", std::vector<int64_t>{8, 36});
  EXPECT_EQ(joined(transposed({sized}, {0}, {7}, {2}), "c", shape), both);
  const Message same = attribute("auto_pad", std::string("SAME_UPPER"));
  EXPECT_EQ(joined(transposed({same}, {0}, {7}, {2}), "c", shape), both);
}

}  // namespace
}  // namespace slipway
