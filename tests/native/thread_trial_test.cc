#include "exec/thread_trial.h"

#include "check.h"

namespace slipway {
namespace {

/// A run takes 10 or 20 us.
constexpr int64_t kFast = 10000;
constexpr int64_t kSlow = 20000;

void run(ThreadTrial& trial, int64_t shared, int64_t alone) { trial.add(trial.shares() ? shared : alone); }

/// To the end of a trial.
void try_both(ThreadTrial& trial, int64_t shared, int64_t alone) {
  while (!trial.is_trying()) run(trial, shared, alone);
  while (trial.is_trying()) run(trial, shared, alone);
}

TEST(ThreadTrial, the_faster_way_serves_after_both_were_tried) {
  ThreadTrial trial;
  EXPECT_TRUE(trial.is_trying());
  EXPECT_TRUE(trial.shares());
  try_both(trial, kFast, kSlow);
  for (int i = 0; i < ThreadTrial::kFirstRest; ++i) {
    EXPECT_FALSE(trial.is_trying());
    EXPECT_TRUE(trial.shares());
    run(trial, kFast, kSlow);
  }
  EXPECT_TRUE(trial.is_trying());
  ThreadTrial other;
  try_both(other, kSlow, kFast);
  EXPECT_FALSE(other.shares());
}

TEST(ThreadTrial, a_gain_that_is_none_takes_no_other_thread) {
  ThreadTrial trial;
  try_both(trial, 10000, 10100);
  EXPECT_FALSE(trial.shares());
}

TEST(ThreadTrial, a_way_is_warm_before_it_is_timed_and_a_single_slow_run_does_not_count) {
  ThreadTrial trial;
  int64_t passed = 0;
  for (bool was_shared = true; trial.is_trying(); was_shared = trial.shares()) {
    if (trial.shares() != was_shared) passed = 0;
    const bool is_cold = passed < ThreadTrial::kWarmNanoseconds;
    const int64_t time = is_cold ? 3 * kSlow : trial.shares() ? kFast : kSlow;
    passed += time;
    const bool is_third = !is_cold && passed / time % 5 == 3;
    trial.add(is_third ? 100 * time : time);
  }
  EXPECT_TRUE(trial.shares());
}

TEST(ThreadTrial, runs_of_milliseconds_are_tried_few_times) {
  constexpr int64_t kLong = 5000000;
  ThreadTrial trial;
  int runs = 0;
  for (; trial.is_trying(); ++runs) run(trial, kLong, 2 * kLong);
  EXPECT_EQ(runs, 2 * (ThreadTrial::kTimed + 1));
}

TEST(ThreadTrial, what_has_changed_is_seen_at_the_next_trial) {
  ThreadTrial trial;
  try_both(trial, kFast, kSlow);
  EXPECT_TRUE(trial.shares());
  try_both(trial, kSlow, kFast);
  EXPECT_FALSE(trial.shares());
}

TEST(ThreadTrial, trials_become_rare) {
  ThreadTrial trial;
  constexpr int kRuns = 100000;
  int shared = 0;
  for (int i = 0; i < kRuns; ++i) {
    shared += trial.shares() ? 1 : 0;
    run(trial, kSlow, kFast);
  }
  EXPECT_LT(shared, kRuns / 200);
}

}  // namespace
}  // namespace slipway
