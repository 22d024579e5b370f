// Plans: memory never overlaps while it is alive, outputs that share memory are copied, and runs are repeatable from
// many threads.
#include "plan/plan.h"

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "base/layout.h"
#include "check.h"
#include "exec/runner.h"
#include "ops/table.h"

namespace slipway {
namespace {

// A graph under construction, all values float32 [N, 8].
struct Builder {
  Graph graph;

  ValueId value(const std::string& name) {
    graph.values.push_back({name, {DType::kFloat32, Dims{Dim::symbol("N"), 8}, nullptr}});
    return static_cast<ValueId>(graph.values.size() - 1);
  }
  ValueId ints(const std::vector<int64_t>& values) {
    Tensor tensor(DType::kInt64, {static_cast<int64_t>(values.size())});
    std::copy(values.begin(), values.end(), tensor.as<int64_t>());
    graph.values.push_back(
        {"ints" + std::to_string(graph.values.size()), Fact::of(std::make_shared<const Tensor>(std::move(tensor)))});
    return static_cast<ValueId>(graph.values.size() - 1);
  }
  ValueId node(const std::string& op, std::vector<ValueId> inputs) {
    Node node;
    node.op = op;
    node.name = op + std::to_string(graph.nodes.size());
    node.opset = 20;
    node.inputs = std::move(inputs);
    node.outputs = {value(node.name)};
    resolve(node);
    graph.nodes.push_back(node);
    return graph.nodes.back().outputs[0];
  }
};

// x -> ten layers of x = relu(x + relu(earlier)), every third one an output too.
Graph ladder() {
  Builder builder;
  ValueId last = builder.value("x");
  ValueId earlier = last;
  builder.graph.inputs = {last};
  for (int i = 0; i < 10; ++i) {
    const ValueId sum = builder.node("Add", {last, builder.node("Relu", {earlier})});
    earlier = last;
    last = builder.node("Relu", {sum});
    if (i % 3 == 0) builder.graph.outputs.push_back(last);
  }
  builder.graph.outputs.push_back(builder.node("Identity", {last}));
  builder.graph.outputs.push_back(last);
  builder.graph.check();
  return std::move(builder.graph);
}

std::vector<float> run_ladder(Runner& runner, int64_t rows, float scale) {
  std::vector<float> x(static_cast<std::size_t>(rows) * 8);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = scale * (static_cast<float>(i % 7) - 3.0F);
  const TensorView view{x.data(), DType::kFloat32, Shape{rows, 8}};
  std::vector<Tensor> outputs;
  runner.run({&view, 1}, {}, &outputs);
  std::vector<float> all;
  for (const Tensor& tensor : outputs)
    all.insert(all.end(), tensor.as<float>(), tensor.as<float>() + tensor.shape().count());
  return all;
}

TEST(layout, buffers_alive_together_never_overlap) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> buffers(random() % 40);
    for (Lifetime& buffer : buffers) {
      buffer.first = static_cast<int>(random() % 30);
      buffer.last = buffer.first + static_cast<int>(random() % 10);
      buffer.bytes = static_cast<int64_t>(random() % 500);
    }
    const int64_t size = lay_out(buffers);
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      const Lifetime& a = buffers[i];
      EXPECT_EQ(a.offset % 64, 0);
      EXPECT_LE(a.offset + a.bytes, size);
      for (std::size_t j = 0; j < i; ++j) {
        const Lifetime& b = buffers[j];
        const bool together = a.first <= b.last && b.first <= a.last;
        const bool apart = a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
        EXPECT_TRUE(!together || apart) << "round " << round << " buffers " << i << " and " << j;
      }
    }
  }
}

TEST(layout, thousands_of_buffers_never_overlap_either) {
  std::mt19937 random(7);
  std::vector<Lifetime> buffers(6000);
  int64_t together = 0;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    buffers[i].first = static_cast<int>(i / 3);
    buffers[i].last = buffers[i].first + static_cast<int>(random() % 100);
    buffers[i].bytes = static_cast<int64_t>(random() % 500);
    together += buffers[i].bytes;
  }
  EXPECT_LE(lay_out(buffers), together / 10);
  std::sort(buffers.begin(), buffers.end(), [](auto& a, auto& b) { return a.offset < b.offset; });
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const Lifetime& a = buffers[i];
    EXPECT_EQ(a.offset % 64, 0);
    for (std::size_t j = i + 1; j < buffers.size() && buffers[j].offset < a.offset + a.bytes; ++j) {
      EXPECT_TRUE(a.last < buffers[j].first || buffers[j].last < a.first) << "buffers " << i << " and " << j;
    }
  }
}

TEST(layout, a_chain_needs_two_buffers) {
  std::vector<Lifetime> buffers;
  for (int i = 0; i < 20; ++i) buffers.push_back({1024, i, i + 1, 0});
  EXPECT_EQ(lay_out(buffers), 2048);
}

TEST(plan, aliased_outputs_are_copied) {
  const Graph graph = ladder();
  const TensorView x{nullptr, DType::kFloat32, Shape{2, 8}};
  const Plan plan = make_plan(graph, {&x, 1}, Isa::kScalar);
  EXPECT_EQ(plan.outputs.size(), graph.outputs.size());
  EXPECT_TRUE(plan.awaited.empty());
  int copies = 0;
  for (const Step& step : plan.steps) copies += step.node == nullptr ? 1 : 0;
  EXPECT_EQ(copies, 2) << "the value read through Identity and by its own name is the output of layer 9 too";
}

// relu(x[start:end:step]) of the first axis, which the graph does not know.
Graph cut(int64_t start, int64_t end, int64_t step) {
  Builder builder;
  const ValueId x = builder.value("x");
  builder.graph.inputs = {x};
  const ValueId part =
      builder.node("Slice", {x, builder.ints({start}), builder.ints({end}), builder.ints({0}), builder.ints({step})});
  builder.graph.outputs = {builder.node("Relu", {part}), part};
  builder.graph.check();
  return std::move(builder.graph);
}

std::size_t steps_with_rows(const Graph& graph, int64_t rows) {
  const TensorView x{nullptr, DType::kFloat32, Shape{rows, 8}};
  const Plan plan = make_plan(graph, {&x, 1}, Isa::kScalar);
  std::size_t count = 0;
  for (const Step& step : plan.steps) count += step.node != nullptr && step.node->op == "Slice" ? 1 : 0;
  return count;
}

TEST(plan, a_slice_that_takes_all_of_these_sizes_is_a_view) {
  EXPECT_EQ(steps_with_rows(cut(0, 5, 1), 5), 0U);
  EXPECT_EQ(steps_with_rows(cut(0, 5, 1), 6), 1U);
  EXPECT_EQ(steps_with_rows(cut(-9, 5, 1), 3), 0U);
  EXPECT_EQ(steps_with_rows(cut(1, 5, 1), 5), 1U);
  EXPECT_EQ(steps_with_rows(cut(0, 5, 3), 5), 1U);
  EXPECT_EQ(steps_with_rows(cut(0, 5, 3), 1), 0U);
  EXPECT_EQ(steps_with_rows(cut(-1, -9, -1), 5), 1U);
  EXPECT_EQ(steps_with_rows(cut(0, 5, 1), 0), 0U);
}

TEST(plan, slices_give_what_they_take_whether_views_or_not) {
  const Graph cuts[] = {cut(0, 5, 1), cut(1, 9, 1), cut(-1, -9, -1), cut(0, 5, 3)};
  for (const Graph& graph : cuts) {
    const auto bounds = [&](std::size_t i) {
      return graph.values[graph.nodes[0].inputs[i]].fact.constant->as<int64_t>()[0];
    };
    Runner runner(graph, {});
    for (int64_t rows = 0; rows < 7; ++rows) {
      std::vector<float> expected;
      const bool is_reversed = bounds(4) < 0;
      const int64_t first = is_reversed ? rows - 1 : bounds(1);
      for (int64_t r = first; r >= 0 && r < (is_reversed ? rows : std::min(rows, bounds(2))); r += bounds(4)) {
        for (int64_t i = 0; i < 8; ++i) expected.push_back(static_cast<float>((r * 8 + i) % 7) - 3.0F);
      }
      std::vector<float> all = expected;
      for (float& value : all) value = std::max(value, 0.0F);
      all.insert(all.end(), expected.begin(), expected.end());
      EXPECT_TRUE(run_ladder(runner, rows, 1.0F) == all) << rows << " rows";
    }
  }
}

TEST(plan, an_expand_to_the_size_that_is_there_is_a_view_of_an_output_too) {
  Builder builder;
  const ValueId x = builder.value("x");
  builder.graph.inputs = {x};
  const ValueId wide = builder.node("Expand", {builder.node("Relu", {x}), builder.ints({1, 8})});
  builder.graph.outputs = {wide};
  builder.graph.check();
  const TensorView view{nullptr, DType::kFloat32, Shape{3, 8}};
  EXPECT_EQ(make_plan(builder.graph, {&view, 1}, Isa::kScalar).steps.size(), 1U);
  Runner runner(builder.graph, {});
  const std::vector<float> got = run_ladder(runner, 1, 1.0F);
  EXPECT_TRUE(got == std::vector<float>({0, 0, 0, 0, 1, 2, 3, 0}));
}

TEST(runner, outputs_equal_those_of_plain_arithmetic) {
  Runner runner(ladder(), {});
  const std::vector<float> got = run_ladder(runner, 3, 1.0F);
  std::vector<float> expected;
  std::vector<float> last(24);
  for (std::size_t i = 0; i < last.size(); ++i) last[i] = static_cast<float>(i % 7) - 3.0F;
  std::vector<float> earlier = last;
  for (int layer = 0; layer < 10; ++layer) {
    const std::vector<float> before = last;
    for (std::size_t i = 0; i < last.size(); ++i) last[i] = std::max(last[i] + std::max(earlier[i], 0.0F), 0.0F);
    earlier = before;
    if (layer % 3 == 0) expected.insert(expected.end(), last.begin(), last.end());
  }
  for (int i = 0; i < 2; ++i) expected.insert(expected.end(), last.begin(), last.end());
  EXPECT_TRUE(got == expected);
}

TEST(runner, many_threads_and_shapes_get_the_same_bits_as_one) {
  ThreadPool pool(2);
  Runner runner(ladder(), {choose_isa(), &pool});
  std::vector<std::vector<float>> alone;
  for (int64_t rows = 0; rows < 80; ++rows) alone.push_back(run_ladder(runner, rows, 0.5F));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const int64_t rows = (i * 13 + t * 7) % 80;
        if (run_ladder(runner, rows, 0.5F) != alone[static_cast<std::size_t>(rows)]) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace slipway
