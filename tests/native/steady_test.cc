// Runs of shapes seen before take no memory: with given outputs and bound, on one thread and on two, whatever the
// graph is made of.
#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "check.h"
#include "counted_memory.h"
#include "slipway/slipway.h"
#include "small_models.h"

namespace slipway {
namespace {

using namespace check;

struct Case {
  std::string name;
  Model model;
  std::vector<Shape> inputs;
  std::vector<Shape> outputs;
};

std::vector<Case> cases() {
  return {{"perceptron", perceptron(), {{1, 64}, {33, 64}, {600, 64}}, {{1, 80}, {33, 80}, {600, 80}}},
          {"convolution", convolution(), {{1, 3, 24, 24}, {5, 3, 24, 24}}, {{1, 32, 1, 1}, {5, 32, 1, 1}}},
          {"pictures", pictures(), {{5, 8, 128, 128}, {4, 8, 128, 128}}, {{5, 8, 1, 1}, {4, 8, 1, 1}}},
          {"recurrence", recurrence(), {{20, 1, 24}, {20, 40, 24}}, {{1, 1, 32}, {1, 40, 32}}}};
}

/// Memory blocks taken by `runs` rounds of `run`, after some that may take what they keep.
int64_t blocks_of(const std::function<void()>& run) {
  for (int i = 0; i < 3; ++i) run();
  const int64_t before = counted::blocks;
  for (int i = 0; i < 20; ++i) run();
  return counted::blocks - before;
}

/// One input of each shape, and the memory for its output.
struct Arrays {
  explicit Arrays(const Case& which) {
    for (std::size_t i = 0; i < which.inputs.size(); ++i) {
      Tensor& x = inputs.emplace_back(DType::kFloat32, which.inputs[i]);
      const std::vector<float> values = ramp(x.shape().count());
      std::copy(values.begin(), values.end(), x.as<float>());
      views.push_back(x.view());
      buffers.push_back(outputs.emplace_back(DType::kFloat32, which.outputs[i]).mutable_view());
    }
  }

  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  std::vector<TensorView> views;
  std::vector<MutableView> buffers;
};

template <typename F>
void for_each_case(const F& check) {
  for (const Case& which : cases()) {
    for (const int threads : {1, 2}) {
      const std::string bytes = which.model.bytes();
      SessionOptions options;
      options.threads = threads;
      const Session session = Session::read(std::as_bytes(std::span(bytes)), options);
      Arrays arrays(which);
      check(which.name + " on " + std::to_string(threads) + " threads", session, arrays);
    }
  }
}

TEST(Steady, a_run_into_given_memory_allocates_nothing) {
  for_each_case([](const std::string& name, const Session& session, Arrays& arrays) {
    const int64_t blocks = blocks_of([&] {
      for (std::size_t i = 0; i < arrays.views.size(); ++i) {
        (void)session.run(std::span(&arrays.views[i], 1), std::span(&arrays.buffers[i], 1));
      }
    });
    EXPECT_EQ(blocks, 0) << name;
  });
}

TEST(Steady, a_bound_call_allocates_nothing) {
  for_each_case([](const std::string& name, const Session& session, Arrays& arrays) {
    std::vector<BoundCall> calls;
    for (std::size_t i = 0; i < arrays.views.size(); ++i) {
      calls.push_back(session.bind(std::span(&arrays.views[i], 1), std::span(&arrays.buffers[i], 1)));
    }
    EXPECT_EQ(blocks_of([&] {
                for (const BoundCall& call : calls) call();
              }),
              0)
        << name;
  });
}

TEST(Steady, a_fresh_output_is_all_that_a_run_allocates) {
  for_each_case([](const std::string& name, const Session& session, Arrays& arrays) {
    const int64_t blocks = blocks_of([&] { (void)session.run(std::span(&arrays.views[0], 1)); });
    EXPECT_EQ(blocks, 20 * 2) << name;  // the list and its tensor
  });
}

TEST(Steady, threads_that_run_at_once_leave_the_memory_for_the_next) {
  const Case which = cases()[0];
  const std::string bytes = which.model.bytes();
  const Session session = Session::read(std::as_bytes(std::span(bytes)));
  const auto run_all = [&](int rounds) {
    Arrays arrays(which);
    for (int i = 0; i < rounds; ++i) {
      for (std::size_t k = 0; k < arrays.views.size(); ++k) {
        (void)session.run(std::span(&arrays.views[k], 1), std::span(&arrays.buffers[k], 1));
      }
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) threads.emplace_back(run_all, 20);
  for (std::thread& thread : threads) thread.join();
  Arrays arrays(which);
  EXPECT_EQ(blocks_of([&] {
              for (std::size_t k = 0; k < arrays.views.size(); ++k) {
                (void)session.run(std::span(&arrays.views[k], 1), std::span(&arrays.buffers[k], 1));
              }
            }),
            0);
}

}  // namespace
}  // namespace slipway
