// Plans: memory never overlaps while it is alive, outputs that share memory are copied, and runs are repeatable from
// many threads.
#include "plan/plan.h"

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
