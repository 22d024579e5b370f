#include "exec/thread_trial.h"

#include "check.h"

namespace slipway {
namespace {

/// A run takes 10 or 20 us.
constexpr int64_t kFast = 10000;
constexpr int64_t kSlow = 20000;

/// Runs one after the other on a clock of their own.
class Runs {
 public:
  /// One run; returns whether it was shared.
  bool run(int64_t shared, int64_t alone) {
    const bool was_shared = trial.shares();
    const int64_t begin = now_;
    now_ += was_shared ? shared : alone;
    trial.is_wanted() ? trial.add(begin, now_) : trial.pass();
    return was_shared;
  }
  void rest(int64_t nanoseconds) { now_ += nanoseconds; }

  /// To the end of the next trial; returns how many runs were a part of it.
  int try_other(int64_t shared, int64_t alone) {
    while (!trial.is_trying()) run(shared, alone);
    int runs = 0;
    for (; trial.is_trying(); ++runs) run(shared, alone);
    return runs;
  }

  /// How many of `count` runs were shared.
  int shared_of(int count, int64_t shared, int64_t alone) {
    int number = 0;
    for (int i = 0; i < count; ++i) number += run(shared, alone) ? 1 : 0;
    return number;
  }

  ThreadTrial trial;

 private:
  int64_t now_ = 5000000000;
};

TEST(ThreadTrial, the_faster_way_serves_after_both_were_tried) {
  Runs runs;
  EXPECT_TRUE(runs.trial.is_trying());
  EXPECT_TRUE(runs.trial.shares());
  runs.try_other(kFast, kSlow);
  EXPECT_EQ(runs.shared_of(100, kFast, kSlow), 100);
  Runs others;
  others.try_other(kSlow, kFast);
  EXPECT_EQ(others.shared_of(100, kSlow, kFast), 0);
}

TEST(ThreadTrial, a_gain_that_is_none_takes_no_other_thread) {
  Runs runs;
  runs.try_other(10000, 10100);
  EXPECT_FALSE(runs.trial.shares());
}

TEST(ThreadTrial, a_way_is_warm_before_it_is_timed_and_a_single_slow_run_does_not_count) {
  Runs runs;
  int64_t passed = 0;
  for (bool was_shared = true; runs.trial.is_trying(); was_shared = runs.trial.shares()) {
    if (runs.trial.shares() != was_shared) passed = 0;
    const bool is_cold = passed < ThreadTrial::kWarmNanoseconds;
    const int64_t time = is_cold ? 3 * kSlow : runs.trial.shares() ? kFast : kSlow;
    passed += time;
    const bool is_third = !is_cold && passed / time % 5 == 3;
    runs.run(is_third ? 100 * time : time, is_third ? 100 * time : time);
  }
  EXPECT_TRUE(runs.trial.shares());
}

TEST(ThreadTrial, runs_of_milliseconds_are_tried_few_times) {
  constexpr int64_t kLong = 5000000;
  Runs runs;
  runs.run(kLong, kLong);  // behind a pause
  EXPECT_EQ(runs.try_other(kLong, 2 * kLong), static_cast<int>(2 * (ThreadTrial::kTimed + 1)));
  EXPECT_EQ(runs.try_other(kLong, 2 * kLong), static_cast<int>(ThreadTrial::kTimed + 1));
}

TEST(ThreadTrial, the_first_run_behind_a_pause_does_not_count) {
  constexpr int64_t kLong = 5000000;
  Runs runs;
  runs.run(kLong, kLong);
  int count = 0;
  for (; runs.trial.is_trying(); ++count) {
    if (count % 2 == 1) {
      runs.rest(2 * ThreadTrial::kPauseNanoseconds);
      runs.run(4 * kLong, 4 * kLong);
    }
    if (runs.trial.is_trying()) runs.run(kLong, 2 * kLong);
  }
  EXPECT_EQ(count, static_cast<int>(2 * (ThreadTrial::kTimed + 1)));
  EXPECT_TRUE(runs.trial.shares());
}

TEST(ThreadTrial, runs_that_all_follow_pauses_are_tried_too) {
  Runs runs;
  for (int i = 0; i < 100; ++i) {
    runs.rest(2 * ThreadTrial::kPauseNanoseconds);
    runs.run(kSlow, kFast);
  }
  EXPECT_FALSE(runs.trial.is_trying());
  EXPECT_FALSE(runs.trial.shares());
}

TEST(ThreadTrial, a_way_that_became_slower_than_the_other_was_is_doubted_soon) {
  Runs runs;
  while (runs.shared_of(10000, kFast, kSlow) < 9990) continue;  // until trials are rare
  runs.try_other(kFast, kSlow);
  int count = 0;
  for (; runs.trial.shares(); ++count) runs.run(4 * kSlow, kSlow);
  EXPECT_LT(count, 1000);
}

TEST(ThreadTrial, a_wrong_choice_is_soon_mended) {
  Runs runs;
  runs.try_other(kSlow, kFast);
  int count = 0;
  for (; !runs.trial.shares() || runs.trial.is_trying(); ++count) runs.run(kFast, kSlow);
  EXPECT_LT(count, 20 * (ThreadTrial::kWarmRuns + static_cast<int>(ThreadTrial::kTimed)));
}

TEST(ThreadTrial, trials_become_rare) {
  Runs runs;
  constexpr int kRuns = 100000;
  EXPECT_LT(runs.shared_of(kRuns, kSlow, kFast), kRuns / 200);
}

TEST(ThreadTrial, few_runs_of_a_microsecond_are_looked_at) {
  Runs runs;
  runs.try_other(1000, 2000);
  int wanted = 0;
  for (int i = 0; i < 1000; ++i) {
    wanted += runs.trial.is_wanted() ? 1 : 0;
    runs.run(1000, 2000);
  }
  EXPECT_LT(wanted, 1000 / 10);
}

}  // namespace
}  // namespace slipway
