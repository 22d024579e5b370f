// base/: text that is safe to print, sizes that do not overflow, memory, and the thread pool.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <numeric>
#include <thread>
#include <vector>

#include "base/cpu.h"
#include "base/error.h"
#include "base/tensor.h"
#include "base/thread_pool.h"
#include "check.h"

namespace slipway {
namespace {

TEST(Error, text_that_may_hold_anything_is_safe_to_print) {
  EXPECT_EQ(quote("conv1"), "\"conv1\"");
  EXPECT_EQ(quote(std::string_view("a\0b\n\x1b", 5)), "\"a\\x00b\\x0a\\x1b\"");
  EXPECT_EQ(quote("\xff\xc3"), "\"\\xff\\xc3\"");
  EXPECT_EQ(quote("größe"), "\"größe\"");
  EXPECT_LE(quote(std::string(1000, 'x'), 80).size(), 90u);
}

TEST(Error, a_stage_adds_its_place_and_keeps_the_code) {
  const Error error = Error(Code::kFault, "index is 7").at("Gather \"g\"");
  EXPECT_EQ(error.message(), "Gather \"g\": index is 7");
  EXPECT_TRUE(error.code() == Code::kFault);
}

TEST(Shape, sizes_that_overflow_are_refused) {
  const int64_t large = int64_t{1} << 32;
  EXPECT_EQ(Shape({2, 3, 4}).checked_bytes(4), 96);
  EXPECT_THROW(Shape({large, large}).checked_bytes(1), Error);
  EXPECT_THROW(Shape({std::numeric_limits<int64_t>::max()}).checked_bytes(2), Error);
  EXPECT_THROW(Shape({-1}).checked_bytes(1), Error);
  EXPECT_THROW(Shape(std::vector<int64_t>(kMaxRank + 1, 1)), Error);
}

TEST(Tensor, memory_is_aligned_and_never_null) {
  Tensor empty(DType::kFloat32, {0, 4});
  EXPECT_TRUE(empty.view().data != nullptr);
  EXPECT_EQ(empty.bytes(), 0);
  Tensor tensor(DType::kInt64, {3});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.view().data) % 64, 0u);
  EXPECT_EQ(tensor.bytes(), 24);
}

int64_t sum_of(ThreadPool* pool, int64_t count, int64_t grain) {
  std::vector<int64_t> values(static_cast<std::size_t>(count));
  parallel_for(pool, count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) values[static_cast<std::size_t>(i)] += i + 1;
  });
  return std::accumulate(values.begin(), values.end(), int64_t{0});
}

TEST(ThreadPool, every_item_is_worked_on_once) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (const int64_t count : {0, 1, 2, 7, 1000}) {
      for (const int64_t grain : {1, 3, 1000}) {
        EXPECT_EQ(sum_of(&pool, count, grain), count * (count + 1) / 2) << threads << count << grain;
      }
    }
  }
  EXPECT_EQ(sum_of(nullptr, 10, 1), 55);
}

TEST(ThreadPool, callers_at_the_same_time_do_not_disturb_each_other) {
  ThreadPool pool(3);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        if (sum_of(&pool, 100 + i, 1) != (100 + i) * (101 + i) / 2) ++wrong;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST(ThreadPool, a_forked_child_works_alone) {
  ThreadPool pool(2);
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(sum_of(&pool, 1000, 1) == 500500 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Cpu, the_scalar_column_always_runs) {
  EXPECT_TRUE(can_run(Isa::kScalar));
  EXPECT_TRUE(can_run(choose_isa()));
}

}  // namespace
}  // namespace slipway
