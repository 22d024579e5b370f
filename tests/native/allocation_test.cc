// Memory may end at any place: whichever block of loading and running is refused, once or from then on, the answer is
// an exception, everything taken is given back, and what is left works as if nothing had happened.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "base/error.h"
#include "check.h"
#include "counted_memory.h"
#include "slipway/slipway.h"
#include "small_models.h"

namespace slipway {
namespace {

using namespace check;

constexpr int64_t kMostBlocks = 2000;
constexpr int64_t kForEver = INT64_MAX / 2;

struct Case {
  const char* name;
  std::string bytes;
  Shape input;
};

std::vector<Case> cases() {
  return {{"perceptron", perceptron().bytes(), {3, 64}},
          {"convolution", convolution().bytes(), {2, 3, 24, 24}},
          {"recurrence", recurrence().bytes(), {20, 2, 24}},
          {"repetition", repetition().bytes(), {2, 4}},
          {"two repetitions", two_repetitions().bytes(), {2, 4}}};
}

Session load(const Case& which, int threads) {
  SessionOptions options;
  options.threads = threads;
  return Session::read(std::as_bytes(std::span(which.bytes)), options);
}

/// Refuses `count` blocks behind the next `after` ones while `work` runs. True where `work` came to its end.
template <typename Work>
bool comes_through(int64_t after, int64_t count, const Work& work) {
  counted::refused = count;
  counted::first_refused = counted::blocks + after;
  bool is_through = true;
  try {
    work();
  } catch (const Error& error) {
    is_through = false;
    if (error.code() != Code::kLimit) std::abort();
  } catch (const std::bad_alloc&) {
    is_through = false;
  }
  counted::first_refused = INT64_MAX;
  return is_through;
}

// Blocks up to the last one that `work` asks for, or kMostBlocks; returns how many were refused.
template <typename Work>
int64_t refuse_each(const char* name, int64_t count, const Work& work) {
  for (int i = 0; i < 2; ++i) work();  // what is made once per process is made
  const int64_t before = counted::blocks;
  work();
  const int64_t asked = counted::blocks - before;
  int64_t refused = 0;
  for (int64_t block = 0; block < std::min(asked, kMostBlocks); ++block, ++refused) {
    const int64_t held = counted::now;
    const bool is_through = comes_through(block, count, work);
    EXPECT_EQ(counted::now, held) << name << ": block " << block;
    // A pass may do without what it could not fold; with no memory from there on nothing comes through.
    EXPECT_EQ(count == kForEver && is_through, false) << name << ": block " << block;
  }
  std::printf("%s: %lld of %lld blocks refused\n", name, static_cast<long long>(refused),
              static_cast<long long>(asked));
  return refused;
}

TEST(Allocation, each_block_of_load_and_run_may_be_refused) {
  int64_t refused = 0;
  for (const Case& which : cases()) {
    for (const int threads : {1, 3}) {
      for (const int64_t count : {int64_t{1}, kForEver}) {
        const Tensor input(DType::kFloat32, which.input);
        std::memset(const_cast<void*>(input.view().data), 0, static_cast<std::size_t>(input.bytes()));
        refused += refuse_each(which.name, count, [&] {
          const TensorView view = input.view();
          (void)load(which, threads).run({&view, 1});
        });
      }
    }
  }
  std::printf("%lld blocks refused\n", static_cast<long long>(refused));
  EXPECT_EQ(refused > 500, true);
}

TEST(Allocation, a_session_survives_a_run_without_memory) {
  for (const Case& which : cases()) {
    Tensor input(DType::kFloat32, which.input);
    for (int64_t i = 0; i < input.shape().count(); ++i) input.as<float>()[i] = 0.01F * static_cast<float>(i % 11);
    const TensorView view = input.view();
    const Tensor expected = std::move(load(which, 1).run({&view, 1})[0]);
    for (int64_t block = 0;; ++block) {
      const Session session = load(which, 1);
      const bool is_through = comes_through(block, 1, [&] { (void)session.run({&view, 1}); });
      const Tensor got = std::move(session.run({&view, 1})[0]);
      ASSERT_EQ(std::memcmp(got.view().data, expected.view().data, static_cast<std::size_t>(got.bytes())), 0)
          << which.name << ": block " << block;
      if (is_through && block > 0) break;
    }
  }
}

}  // namespace
}  // namespace slipway
