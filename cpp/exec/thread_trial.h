// Whether the threads of a pool share a run: measured while running, since results do not depend on it.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace slipway {

/// Of one frame, so of one run at a time. Some runs in turn are shared and not; the way with the smaller median then
/// serves for many, until both are tried again: what else the machine does may have changed.
class ThreadTrial {
 public:
  static constexpr int kTimed = 5;  ///< runs of each way that count
  /// Of each way, before, whichever is reached first: a worker that sleeps takes tens of microseconds to come, and the
  /// weights that each thread reads take several runs to move into the cache of its processor.
  static constexpr int64_t kWarmNanoseconds = 1000000;
  static constexpr int kWarmRuns = 20;
  static constexpr int kFirstRest = 32;  ///< runs between two trials
  static constexpr int kLongestRest = 8192;
  /// Sharing must gain this much: it takes another thread's time.
  static constexpr double kLeastGain = 1.03;

  /// What the next run does.
  [[nodiscard]] bool shares() const noexcept { return is_trying() ? way_ == kShared : shares_; }
  /// True where its time is wanted.
  [[nodiscard]] bool is_trying() const noexcept { return left_ == 0; }

  /// A run has ended; it took so long if is_trying().
  void add(int64_t nanoseconds) noexcept {
    if (!is_trying()) {
      --left_;
    } else if (warmed_ < kWarmNanoseconds && warm_runs_ < kWarmRuns) {
      warmed_ += nanoseconds;
      ++warm_runs_;
    } else {
      add_timed(nanoseconds);
    }
  }

 private:
  enum Way : uint8_t { kShared, kAlone };
  using Times = std::array<int64_t, kTimed>;

  [[nodiscard]] static double median(Times times) noexcept {
    std::nth_element(times.begin(), times.begin() + kTimed / 2, times.end());
    return static_cast<double>(times[kTimed / 2]);
  }

  void add_timed(int64_t nanoseconds) noexcept {
    times_[way_][static_cast<std::size_t>(count_++)] = nanoseconds;
    if (count_ < kTimed) return;
    count_ = 0;
    warmed_ = 0;
    warm_runs_ = 0;
    way_ = way_ == kShared ? kAlone : kShared;
    if (way_ == kAlone) return;
    shares_ = median(times_[kAlone]) > kLeastGain * median(times_[kShared]);
    left_ = rest_;
    rest_ = std::min(rest_ * 4, kLongestRest);
  }

  int left_ = 0;  // runs until the next trial
  int rest_ = kFirstRest;
  bool shares_ = true;
  Way way_ = kShared;
  int64_t warmed_ = 0;
  int warm_runs_ = 0;
  int count_ = 0;
  std::array<Times, 2> times_{};
};

/// One run under a trial.
class TrialRun {
 public:
  explicit TrialRun(ThreadTrial& trial) noexcept : trial_(trial), is_timed_(trial.is_trying()) {
    if (is_timed_) start_ = Clock::now();
  }
  TrialRun(const TrialRun&) = delete;
  TrialRun& operator=(const TrialRun&) = delete;
  ~TrialRun() {
    trial_.add(is_timed_ ? std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start_).count() : 0);
  }

 private:
  using Clock = std::chrono::steady_clock;

  ThreadTrial& trial_;
  bool is_timed_;
  Clock::time_point start_;
};

}  // namespace slipway
