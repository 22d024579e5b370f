// One session for many threads: each gets the bits that it gets alone, whatever the others do meanwhile. For
// ThreadSanitizer above all; tests/harden/test_threads.py asks the same of Python.
#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "slipway/slipway.h"
#include "small_models.h"

namespace slipway {
namespace {

using namespace check;

constexpr int kThreads = 8;

Session session_of(const Model& model, int threads, int64_t max_steps = INT64_MAX) {
  const std::string bytes = model.bytes();
  SessionOptions options;
  options.threads = threads;
  options.max_steps = max_steps;
  return Session::read(std::as_bytes(std::span(bytes)), options);
}

/// Runs work(0) to work(kThreads - 1), all begun together. Expectations are counted by one thread: what goes wrong is
/// what work() gives.
void at_once(const std::function<std::string(int)>& work) {
  std::vector<std::string> wrong(kThreads);
  std::barrier start(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      wrong[static_cast<std::size_t>(t)] = work(t);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& text : wrong) EXPECT_EQ(text, "");
}

struct Case {
  std::string name;
  Model model;
  std::vector<int64_t> sizes;  // of the input, with any batch
  std::size_t batch_axis;

  [[nodiscard]] Shape with_batch(int64_t batch) const {
    std::vector<int64_t> all = sizes;
    all[batch_axis] = batch;
    return Shape(std::span<const int64_t>(all));
  }
};

std::vector<Case> cases() {
  return {{"perceptron", perceptron(), {1, 64}, 0},
          {"convolution", convolution(), {1, 3, 24, 24}, 0},
          {"recurrence", recurrence(), {20, 1, 24}, 1}};
}

/// A float32 input of that shape; `seed` shifts its values.
Tensor input_of(const Shape& shape, int seed) {
  Tensor x(DType::kFloat32, shape);
  const std::vector<float> values = ramp(shape.count() + seed);
  std::copy(values.begin() + seed, values.end(), x.as<float>());
  return x;
}

Tensor run(const Session& session, const TensorView& x) { return std::move(session.run(std::span(&x, 1)).at(0)); }

bool are_same(const Tensor& a, const Tensor& b) {
  const TensorView x = a.view();
  const TensorView y = b.view();
  return x.shape == y.shape && std::memcmp(x.data, y.data, static_cast<std::size_t>(x.bytes())) == 0;
}

TEST(Threads, shapes_and_values_of_ones_own_give_the_bits_that_they_give_alone) {
  for (const Case& which : cases()) {
    for (const int threads : {1, 3}) {
      const Session alone = session_of(which.model, 1);
      const Session shared = session_of(which.model, threads);
      at_once([&](int t) -> std::string {
        const Tensor x = input_of(which.with_batch(1 + 5 * t), t);
        const Tensor expected = run(alone, x.view());
        for (int i = 0; i < 6; ++i) {
          if (!are_same(run(shared, x.view()), expected)) return which.name + ": other bits";
        }
        return "";
      });
    }
  }
}

TEST(Threads, plans_may_be_dropped_while_others_run_them) {
  const Case which = cases()[0];
  const Session shared = session_of(which.model, 2);
  at_once([&](int t) -> std::string {
    constexpr int kShapes = 40;  // of every thread: more than a session keeps, together
    for (int round = 0; round < 2; ++round) {
      for (int k = 0; k < kShapes; ++k) {
        const Tensor x = input_of(which.with_batch(1 + t + kThreads * k), t);
        if (run(shared, x.view()).shape()[0] != x.shape()[0]) return "another shape";
      }
    }
    return "";
  });
}

TEST(Threads, sessions_come_and_go_meanwhile) {
  const std::vector<Case> models = cases();
  const Session shared = session_of(models[0].model, 2);
  const Tensor x = input_of(models[0].with_batch(33), 0);
  const Tensor expected = run(shared, x.view());
  at_once([&](int t) -> std::string {
    for (int i = 0; i < 3; ++i) {
      if (t % 2 == 0) {
        const Case& which = models[static_cast<std::size_t>(t / 2 + i) % models.size()];
        (void)run(session_of(which.model, 1 + i), input_of(which.with_batch(1), t).view());
      } else if (!are_same(run(shared, x.view()), expected)) {
        return "other bits";
      }
    }
    return "";
  });
}

TEST(Threads, every_thread_may_have_a_bound_call) {
  const Case which = cases()[1];
  const Session session = session_of(which.model, 2);
  at_once([&](int t) -> std::string {
    const Tensor x = input_of(which.with_batch(1 + t), t);
    const Tensor expected = run(session, x.view());
    Tensor y(DType::kFloat32, expected.shape());
    const TensorView view = x.view();
    const MutableView into = y.mutable_view();
    const BoundCall call = session.bind(std::span(&view, 1), std::span(&into, 1));
    for (int i = 0; i < 6; ++i) call();
    return are_same(y, expected) ? "" : "other bits";
  });
}

TEST(Threads, a_bound_call_that_runs_elsewhere_is_refused) {
  const Case which = cases()[0];
  const Session session = session_of(which.model, 1);
  const Tensor x = input_of(which.with_batch(600), 0);
  const Tensor expected = run(session, x.view());
  Tensor y(DType::kFloat32, expected.shape());
  const TensorView view = x.view();
  const MutableView into = y.mutable_view();
  const BoundCall call = session.bind(std::span(&view, 1), std::span(&into, 1));
  std::atomic<int> runs = 0;
  at_once([&](int) -> std::string {
    for (int i = 0; i < 20; ++i) {
      try {
        call();
        ++runs;
      } catch (const Error& error) {
        if (error.code() != Code::kUsage) return error.what();
      }
    }
    return "";
  });
  EXPECT_GE(runs.load(), 1);
  EXPECT_TRUE(are_same(y, expected));
}

TEST(Threads, the_faults_of_some_leave_the_others_alone) {
  Model model;
  model.inputs = {value("x", {"9"}), value("i", {"N"}, 7)};
  model.nodes = {node("Gather", {"x", "i"}, {"y"})};
  model.outputs = {value("y", {"N"})};
  const Session session = session_of(model, 2);
  const Tensor x = input_of({9}, 3);
  at_once([&](int t) -> std::string {
    Tensor indices(DType::kInt64, {t + 1});
    for (int64_t k = 0; k <= t; ++k) indices.as<int64_t>()[k] = k % 9;
    if (t % 2 == 0) indices.as<int64_t>()[t] = 1000 + t;
    const TensorView inputs[] = {x.view(), indices.view()};
    for (int i = 0; i < 50; ++i) {
      try {
        const Tensor y = std::move(session.run(inputs).at(0));
        if (t % 2 == 0) return "a bad index went through";
        if (y.as<float>()[t] != x.as<float>()[t % 9]) return "another value";
      } catch (const Error& error) {
        if (t % 2 != 0 || error.code() != Code::kFault) return error.what();
        if (error.message().find(std::to_string(1000 + t)) == std::string::npos) return error.message();
      }
    }
    return "";
  });
}

TEST(Threads, a_loop_of_too_many_steps_stops_in_its_own_thread) {
  Model model;
  model.inputs = {value("n", {}, 7), value("x", {"N"})};
  model.nodes = {
      node("Loop", {"n", "", "x"}, {"y"}, {attribute("body", step({node("Neg", {"s"}, {"t"})}, "t"))}, "on")};
  model.outputs = {value("y", {"N"})};
  const Session session = session_of(model, 2, 20);
  at_once([&](int t) -> std::string {
    Tensor steps(DType::kInt64, {});
    *steps.as<int64_t>() = t % 2 == 0 ? 21 + t : t;
    const Tensor x = input_of({5 + t}, t);
    const TensorView inputs[] = {steps.view(), x.view()};
    for (int i = 0; i < 30; ++i) {
      try {
        const Tensor y = std::move(session.run(inputs).at(0));
        if (t % 2 == 0) return "too many steps went through";
        if (y.as<float>()[0] != -x.as<float>()[0]) return "another value";
      } catch (const Error& error) {
        if (t % 2 != 0 || error.code() != Code::kLimit) return error.what();
      }
    }
    return "";
  });
}

}  // namespace
}  // namespace slipway
