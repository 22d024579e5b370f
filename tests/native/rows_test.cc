// Parts of a batch: where rows do not meet a plan runs part by part, with the bits of each row alone; where they do, or
// might, it does not.
#include "plan/rows.h"

#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "check.h"
#include "exec/runner.h"
#include "pass_models.h"
#include "small_models.h"

namespace slipway {
namespace {

using namespace check;

constexpr int64_t kSize = 96;  // of images [N, 4, kSize, kSize], 144 KiB each

Tensor random_images(int64_t rows) {
  std::mt19937 engine(3);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  Tensor images(DType::kFloat32, {rows, 4, kSize, kSize});
  for (int64_t i = 0; i < images.shape().count(); ++i) images.as<float>()[i] = uniform(engine);
  return images;
}

Plan plan_of(const Graph& graph, int64_t rows) {
  const TensorView x{nullptr, DType::kFloat32, Shape{rows, 4, kSize, kSize}};
  return make_plan(graph, {&x, 1}, choose_isa());
}

std::vector<Tensor> run(Runner& runner, const Tensor& x) {
  const TensorView view = x.view();
  std::vector<Tensor> outputs;
  runner.run({&view, 1}, {}, &outputs);
  return outputs;
}

Model images(std::vector<Message> nodes) {
  Model model = check::model_of({"N", "4", "H", "W"}, std::move(nodes), {}, {});
  model.outputs = {Message().text(1, "y")};
  model.initializers = {weights("w", {8, 4, 3, 3}),
                        weights("v", {8, 4, 2, 2}),
                        ints("pads", {8}, {0, 0, 1, 1, 0, 0, 1, 1}),
                        ints("shift", {8}, {1, 0, 0, 0, -1, 0, 0, 0}),
                        ints("last_axes", {2}, {2, 3}),
                        ints("first_axis", {1}, {0}),
                        ints("rows", {1}, {2}),
                        ints("zero", {1}, {0}),
                        ints("one", {1}, {1}),
                        ints("minus_one", {1}, {-1}),
                        ints("before", {1}, {-99}),
                        ints("nine", {1}, {9}),
                        ints("tail", {3}, {4, kSize, kSize}),
                        ints("turned", {4}, {4, -1, kSize, kSize}),
                        floats("scales", {4}, {1.0F, 1.0F, 0.5F, 0.75F}),
                        floats("stretched", {4}, {1.01F, 1.0F, 1.0F, 1.0F}),
                        floats("half", {1, 4, 1, 1}, {0.5F, -0.5F, 2.0F, 1.0F})};
  return model;
}

// Something of everything that takes rows for themselves.
Model apart() {
  const auto padded = attribute("pads", std::vector<int64_t>{1, 1, 1, 1});
  const auto twice = attribute("strides", std::vector<int64_t>{2, 2});
  return images({
      node("Pad", {"x", "pads"}, {"p"}, {}),
      node("AveragePool", {"p"}, {"a"}, {attribute("kernel_shape", std::vector<int64_t>{3, 3})}),
      node("ReduceMean", {"a", "last_axes"}, {"m"}),
      node("Sub", {"a", "m"}, {"s"}),
      node("PRelu", {"s", "half"}, {"l"}),
      node("HardSigmoid", {"l"}, {"h"}),
      node("Greater", {"h", "half"}, {"g"}),
      node("Where", {"g", "l", "h"}, {"t"}),
      node("Conv", {"t", "w"}, {"c"}, {padded, twice}),
      node("SpaceToDepth", {"c"}, {"d"}, {attribute("blocksize", int64_t{2})}),
      node("DepthToSpace", {"d"}, {"f"}, {attribute("blocksize", int64_t{2})}),
      node("Relu", {"f"}, {"r"}),
      node("ConvTranspose", {"r", "v"}, {"large"}, {twice}),
      node("Resize", {"large", "", "scales"}, {"u"}, {attribute("mode", std::string("linear"))}),
      node("Slice", {"u", "zero", "nine", "rows"}, {"k"}),
      node("Shape", {"k"}, {"sizes"}),
      node("Expand", {"k", "sizes"}, {"e"}),
      node("Concat", {"e", "k"}, {"b"}, {attribute("axis", int64_t{-3})}),
      node("Transpose", {"b"}, {"q"}, {attribute("perm", std::vector<int64_t>{0, 2, 3, 1})}),
      node("Softmax", {"q"}, {"o"}, {}),
      node("Gather", {"sizes", "zero"}, {"count"}),
      node("Concat", {"count", "minus_one"}, {"flat"}, {attribute("axis", int64_t{0})}),
      node("Reshape", {"o", "flat"}, {"y"}),
  });
}

void expect_bits_of_each_row(const Model& model, int64_t rows, int threads) {
  ThreadPool pool(threads);
  Runner runner(run_pipeline(read(model)), {choose_isa(), &pool});
  Runner alone(run_pipeline(read(model)), {choose_isa(), nullptr});
  const Tensor x = random_images(rows);
  const Tensor whole = std::move(run(runner, x)[0]);
  const int64_t bytes = whole.view().bytes() / rows;
  for (int64_t i = 0; i < rows; ++i) {
    Tensor row(DType::kFloat32, {1, 4, kSize, kSize});
    std::memcpy(row.as<float>(), x.as<float>() + i * row.shape().count(), static_cast<std::size_t>(row.view().bytes()));
    const Tensor expected = std::move(run(alone, row)[0]);
    ASSERT_EQ(expected.view().bytes(), bytes);
    const auto* got = static_cast<const std::byte*>(whole.view().data) + i * bytes;
    EXPECT_EQ(std::memcmp(got, expected.view().data, static_cast<std::size_t>(bytes)), 0)
        << "row " << i << " of " << rows << " on " << threads << " threads";
  }
}

TEST(Rows, parts_are_divisors_that_fit_a_cache) {
  constexpr int64_t kMiB = int64_t{1} << 20;
  EXPECT_EQ(rows_of_part(8, 16 * kMiB), 1);
  EXPECT_EQ(rows_of_part(64, 8 * kMiB), 8);
  EXPECT_EQ(rows_of_part(60, 60 * kMiB / 8), 15);
  EXPECT_EQ(rows_of_part(2, 100 * kMiB), 1);
  EXPECT_EQ(rows_of_part(1, 100 * kMiB), 0) << "one row has no parts";
  EXPECT_EQ(rows_of_part(64, 2 * kMiB), 0) << "a cache holds it all";
  EXPECT_EQ(rows_of_part(1009, 4 * kMiB), 0) << "rows of a few KiB, one at a time";
  EXPECT_EQ(rows_of_part(0, 4 * kMiB), 0);
}

TEST(Rows, a_model_of_images_runs_part_by_part) {
  const Graph graph = run_pipeline(read(apart()));
  const Plan plan = plan_of(graph, 12);
  ASSERT_TRUE(plan.part != nullptr);
  EXPECT_TRUE(plan.parts > 1 && 12 % plan.parts == 0);
  EXPECT_TRUE(plan.part->arena_bytes < plan.arena_bytes);
  EXPECT_TRUE(text_of(plan).find(concat("runs as ", plan.parts, " parts")) != std::string::npos);
  EXPECT_TRUE(plan_of(graph, 1).part == nullptr);
}

TEST(Rows, a_row_of_a_part_has_the_bits_that_it_has_alone) {
  for (const int threads : {1, 2, 3, 8}) {
    for (const int64_t rows : {7, 12, 22}) expect_bits_of_each_row(apart(), rows, threads);
  }
}

TEST(Rows, runs_of_a_session_at_once_do_not_meet_in_parts) {
  ThreadPool pool(2);
  Runner runner(run_pipeline(read(apart())), {choose_isa(), &pool});
  const Tensor x = random_images(12);
  const Tensor expected = std::move(run(runner, x)[0]);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        const Tensor got = std::move(run(runner, x)[0]);
        wrong += std::memcmp(got.view().data, expected.view().data, static_cast<std::size_t>(got.view().bytes())) != 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

struct Meeting {
  std::string why;
  std::vector<Message> nodes;
};

std::vector<Meeting> meetings() {
  const auto first = attribute("axis", int64_t{0});
  return {
      {"a mean over rows", {node("ReduceMean", {"a", "first_axis"}, {"m"}), node("Sub", {"a", "m"}, {"y"})}},
      {"a softmax over rows", {node("Softmax", {"a"}, {"y"}, {first})}},
      {"rows reversed", {node("Slice", {"a", "minus_one", "before", "first_axis", "minus_one"}, {"y"})}},
      {"rows left out", {node("Slice", {"a", "one", "nine", "first_axis"}, {"y"})}},
      {"rows shifted", {node("Pad", {"a", "shift"}, {"y"})}},
      {"rows between rows",
       {node("Resize", {"a", "", "stretched"}, {"y"}, {attribute("mode", std::string("linear"))})}},
      {"rows behind rows", {node("Concat", {"a", "a"}, {"y"}, {first})}},
      {"a sum along rows", {node("Squeeze", {"zero"}, {"at"}), node("CumSum", {"a", "at"}, {"y"})}},
      {"another first axis", {node("Transpose", {"a"}, {"y"}, {attribute("perm", std::vector<int64_t>{1, 0, 2, 3})})}},
      {"rows in the second axis", {node("Reshape", {"a", "turned"}, {"t"}), node("Relu", {"t"}, {"y"})}},
      {"how many rows there are",
       {node("Shape", {"x"}, {"sizes"}), node("Gather", {"sizes", "zero"}, {"n"}),
        node("Cast", {"n"}, {"f"}, {attribute("to", int64_t{1})}), node("Div", {"a", "f"}, {"y"})}},
      {"a number of each row",
       {node("Shape", {"x"}, {"sizes"}), node("Squeeze", {"zero"}, {"from"}), node("Squeeze", {"one"}, {"by"}),
        node("Gather", {"sizes", "from"}, {"n"}), node("Range", {"from", "n", "by"}, {"r"}),
        node("Cast", {"r"}, {"f"}, {attribute("to", int64_t{1})}), node("Unsqueeze", {"f", "columns"}, {"g"}),
        node("Mul", {"a", "g"}, {"y"})}},
  };
}

TEST(Rows, a_model_in_which_rows_meet_runs_as_a_whole) {
  for (const Meeting& meeting : meetings()) {
    std::vector<Message> nodes = {node("Exp", {"x"}, {"e"}), node("Add", {"e", "half"}, {"a"})};
    nodes.insert(nodes.end(), meeting.nodes.begin(), meeting.nodes.end());
    nodes.push_back(node("Neg", {"y"}, {"z"}));
    Model model = images(nodes);
    model.outputs = {Message().text(1, "z")};
    model.initializers.push_back(ints("columns", {3}, {1, 2, 3}));
    const Graph graph = read(model);
    const Plan plan = plan_of(graph, 12);
    EXPECT_TRUE(plan.arena_bytes > 0 && rows_of_part(12, plan.arena_bytes) > 0) << meeting.why << ": too small a case";
    EXPECT_TRUE(plan.part == nullptr) << meeting.why;
  }
}

TEST(Rows, the_same_without_what_meets_has_parts) {
  Model model = images({node("Exp", {"x"}, {"e"}), node("Add", {"e", "half"}, {"a"}), node("Abs", {"a"}, {"y"}),
                        node("Neg", {"y"}, {"z"})});
  model.outputs = {Message().text(1, "z")};
  EXPECT_TRUE(plan_of(read(model), 12).part != nullptr);
}

TEST(Rows, inputs_and_outputs_without_rows_make_a_whole) {
  const std::vector<Message> nodes = {node("Exp", {"x"}, {"e"}), node("Add", {"e", "half"}, {"a"}),
                                      node("Neg", {"a"}, {"y"})};
  Model model = images(nodes);
  model.nodes.push_back(node("Shape", {"x"}, {"sizes"}));
  model.outputs.push_back(Message().text(1, "sizes"));
  EXPECT_TRUE(plan_of(read(model), 12).part == nullptr);

  Model two = images({node("Exp", {"x"}, {"e"}), node("Add", {"e", "other"}, {"a"}), node("Neg", {"a"}, {"y"})});
  two.inputs.push_back(value("other", {"M", "4", "1", "1"}));
  const Graph graph = read(two);
  const auto plan_with = [&](int64_t rows) {
    const TensorView views[] = {{nullptr, DType::kFloat32, Shape{12, 4, kSize, kSize}},
                                {nullptr, DType::kFloat32, Shape{rows, 4, 1, 1}}};
    return make_plan(graph, views, choose_isa());
  };
  EXPECT_TRUE(plan_with(1).part == nullptr);
  EXPECT_TRUE(plan_with(12).part != nullptr);
}

TEST(Rows, sizes_that_the_file_fixes_make_a_whole) {
  Model model = images({node("Exp", {"x"}, {"e"}), node("Reshape", {"e", "fixed"}, {"f"}), node("Neg", {"f"}, {"n"}),
                        node("Add", {"n", "e"}, {"a"}), node("Abs", {"a"}, {"y"})});
  model.initializers.push_back(ints("fixed", {4}, {12, 4, kSize, kSize}));
  const Graph graph = read(model);
  EXPECT_TRUE(plan_of(graph, 12).part == nullptr);
  Runner runner(graph, {});
  const Tensor x = random_images(12);
  EXPECT_EQ(run(runner, x)[0].shape()[0], 12);
}

}  // namespace
}  // namespace slipway
