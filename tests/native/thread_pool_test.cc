// The thread pool: every item is done once, in pieces that do not depend on timing, awake or asleep.
#include "base/thread_pool.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "check.h"

namespace slipway {
namespace {

/// SLIPWAY_SPIN_MICROSECONDS during its life: "0" sends workers to sleep after every piece.
class Spin final {
 public:
  explicit Spin(const char* value) {
    if (const char* before = std::getenv(kName)) before_ = before;
    ::setenv(kName, value, 1);
  }
  ~Spin() { before_ ? ::setenv(kName, before_->c_str(), 1) : ::unsetenv(kName); }
  Spin(const Spin&) = delete;
  Spin& operator=(const Spin&) = delete;

 private:
  static constexpr const char* kName = "SLIPWAY_SPIN_MICROSECONDS";
  std::optional<std::string> before_;
};

constexpr const char* kSpins[] = {"", "0", "1000"};

int64_t sum_of(ThreadPool* pool, int64_t count, int64_t grain) {
  std::vector<int64_t> values(static_cast<std::size_t>(count));
  parallel_for(pool, count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) values[static_cast<std::size_t>(i)] += i + 1;
  });
  return std::accumulate(values.begin(), values.end(), int64_t{0});
}

std::vector<std::pair<int64_t, int64_t>> pieces_of(ThreadPool* pool, int64_t count, int64_t grain) {
  std::mutex mutex;
  std::vector<std::pair<int64_t, int64_t>> pieces;
  parallel_for(pool, count, grain, [&](int64_t begin, int64_t end) {
    const std::scoped_lock lock(mutex);
    pieces.emplace_back(begin, end);
  });
  std::sort(pieces.begin(), pieces.end());
  return pieces;
}

TEST(ThreadPool, every_item_is_worked_on_once) {
  for (const char* spin : kSpins) {
    const Spin set(spin);
    for (const int threads : {1, 2, 3, 8}) {
      ThreadPool pool(threads);
      for (const int64_t count : {0, 1, 2, 7, 1000}) {
        for (const int64_t grain : {1, 3, 1000}) {
          EXPECT_EQ(sum_of(&pool, count, grain), count * (count + 1) / 2) << threads << count << grain << spin;
        }
      }
    }
  }
  EXPECT_EQ(sum_of(nullptr, 10, 1), 55);
}

TEST(ThreadPool, many_jobs_in_a_row_neither_hang_nor_mix) {
  for (const char* spin : kSpins) {
    const Spin set(spin);
    ThreadPool pool(4);
    for (int64_t i = 0; i < 3000; ++i) ASSERT_EQ(sum_of(&pool, 8 + i % 8, 1), (8 + i % 8) * (9 + i % 8) / 2);
  }
}

TEST(ThreadPool, a_piece_has_at_least_a_grain_and_a_thread_at_most_one) {
  ThreadPool pool(3);
  for (int i = 0; i < 200; ++i) {
    const auto pieces = pieces_of(&pool, 11, 2);
    const std::vector<std::pair<int64_t, int64_t>> cut = {{0, 3}, {3, 7}, {7, 11}};
    const std::vector<std::pair<int64_t, int64_t>> whole = {{0, 11}};
    ASSERT_TRUE(pieces == cut || pieces == whole);
    ASSERT_EQ(pieces_of(&pool, 7, 4).size(), 1u);
  }
  EXPECT_EQ(pieces_of(&pool, 2, 1).size(), 2u);
}

TEST(ThreadPool, callers_at_the_same_time_do_not_disturb_each_other) {
  for (const char* spin : kSpins) {
    const Spin set(spin);
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
}

TEST(ThreadPool, work_inside_of_work_is_done_by_its_thread) {
  ThreadPool pool(2);
  std::atomic<int64_t> sum = 0;
  parallel_for(&pool, 4, 1, [&](int64_t begin, int64_t end) {
    for (; begin < end; ++begin) sum += sum_of(&pool, 10, 1);
  });
  EXPECT_EQ(sum.load(), 220);
}

TEST(ThreadPool, a_forked_child_works_alone) {
  ThreadPool pool(2);
  EXPECT_EQ(sum_of(&pool, 1000, 1), 500500);
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(sum_of(&pool, 1000, 1) == 500500 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(ThreadPool, a_time_to_spin_that_is_no_number_is_refused) {
  for (const char* spin : {"x", "5us", "-1", "99999999999"}) {
    const Spin set(spin);
    EXPECT_THROW(ThreadPool(2), Error);
  }
}

TEST(ThreadPool, a_grain_takes_the_time_of_a_piece) {
  EXPECT_EQ(grain_of(1, 1), kPieceNanoseconds);
  EXPECT_EQ(grain_of(0, 4), 4 * kPieceNanoseconds);
  EXPECT_EQ(grain_of(kPieceNanoseconds, 1), 1);
  EXPECT_EQ(grain_of(kPieceNanoseconds - 1, 1), 2);
}

}  // namespace
}  // namespace slipway
