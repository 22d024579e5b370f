// Whether the threads of a pool share a run: measured while running, since results do not depend on it.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace slipway {

/// Of one frame, so of one run at a time. The way that was faster serves; the other one is tried again from time to
/// time, and soon where the serving one has become slower than the other was: what else the machine does changes.
class ThreadTrial {
 public:
  static constexpr std::size_t kTimed = 5;  ///< runs of a way that count, the last ones
  /// Before these, whichever is reached first: a worker that sleeps takes tens of microseconds to come, and the weights
  /// that each thread reads take several runs to move into the cache of its processor.
  static constexpr int64_t kWarmNanoseconds = 1000000;
  static constexpr int kWarmRuns = 20;
  /// A way serves so many times as long as the last trial took: twice as many whenever a trial has changed nothing.
  static constexpr int64_t kLeastPatience = 8;
  static constexpr int64_t kMostPatience = 256;
  /// Sharing must gain this much: it takes another thread's time.
  static constexpr double kLeastGain = 1.03;
  /// Of a time that no run takes: caches hold other things then, and the run that follows does not count.
  static constexpr int64_t kPauseNanoseconds = 1000000;
  /// Of shorter runs some pass unseen, since looking at the clock takes a twentieth of a microsecond.
  static constexpr int64_t kLookNanoseconds = 16000;

  /// What the next run does.
  [[nodiscard]] bool shares() const noexcept { return way_ == kShared; }
  /// True where the next run is one that a trial is made of.
  [[nodiscard]] bool is_trying() const noexcept { return is_trying_; }
  /// True where its time is wanted, for add(); else pass() tells that it has ended.
  [[nodiscard]] bool is_wanted() const noexcept { return unseen_ == 0; }

  void pass() noexcept { --unseen_; }
  /// A run has ended, by any clock in nanoseconds.
  void add(int64_t begin, int64_t end) noexcept {
    const bool is_behind_pause = begin - last_end_ > kPauseNanoseconds;
    // Where every run follows a pause, this is what runs are.
    const bool counts = !is_behind_pause || was_behind_pause_;
    was_behind_pause_ = is_behind_pause;
    last_end_ = end;
    if (counts) is_trying_ ? add_tried(end - begin) : add_served(end - begin);
  }

 private:
  enum Way : uint8_t { kShared, kAlone };

  /// The last runs of one way.
  struct Times {
    std::array<int64_t, kTimed> last{};
    std::size_t count = 0;

    void add(int64_t time) noexcept { last[count++ % kTimed] = time; }
    [[nodiscard]] bool is_full() const noexcept { return count >= kTimed; }
    [[nodiscard]] double median() const noexcept {
      std::array<int64_t, kTimed> sorted = last;
      std::nth_element(sorted.begin(), sorted.begin() + kTimed / 2, sorted.end());
      return static_cast<double>(sorted[kTimed / 2]);
    }
  };

  [[nodiscard]] static Way other(Way way) noexcept { return way == kShared ? kAlone : kShared; }
  [[nodiscard]] Way faster() const noexcept {
    return times_[kAlone].median() > kLeastGain * times_[kShared].median() ? kShared : kAlone;
  }

  void begin_trial(Way way) noexcept {
    is_trying_ = true;
    way_ = way;
    times_[way].count = 0;
    warm_runs_ = 0;
    tried_ = 0;
  }

  void add_tried(int64_t time) noexcept {
    const bool is_cold = tried_ < kWarmNanoseconds && warm_runs_ < kWarmRuns;
    tried_ += time;
    if (is_cold) {
      ++warm_runs_;
      return;
    }
    times_[way_].add(time);
    if (!times_[way_].is_full()) return;
    if (!times_[other(way_)].is_full()) return begin_trial(other(way_));
    const Way best = faster();
    patience_ = best == way_ ? kLeastPatience : std::min(2 * patience_, kMostPatience);
    way_ = best;
    is_trying_ = false;
    served_ = 0;
  }

  void add_served(int64_t time) noexcept {
    times_[way_].add(time);
    unseen_ = kLookNanoseconds / std::max(time, kLookNanoseconds / 16);
    served_ += time * (1 + unseen_);
    const bool is_doubtful = served_ >= kLeastPatience * tried_ && faster() != way_;
    if (is_doubtful || served_ >= patience_ * tried_) begin_trial(other(way_));
  }

  bool is_trying_ = true;
  Way way_ = kShared;  // of the next run: the one that serves, or in a trial the other
  std::array<Times, 2> times_;
  int64_t patience_ = kLeastPatience;
  int64_t served_ = 0;  // nanoseconds since the last trial
  int64_t tried_ = 0;   // nanoseconds of the last trial
  int warm_runs_ = 0;
  int64_t unseen_ = 0;  // runs to pass
  int64_t last_end_ = 0;
  bool was_behind_pause_ = false;
};

/// One run under a trial.
class TrialRun {
 public:
  explicit TrialRun(ThreadTrial& trial) noexcept : trial_(trial), begin_(trial.is_wanted() ? now() : 0) {}
  TrialRun(const TrialRun&) = delete;
  TrialRun& operator=(const TrialRun&) = delete;
  ~TrialRun() { trial_.is_wanted() ? trial_.add(begin_, now()) : trial_.pass(); }

 private:
  [[nodiscard]] static int64_t now() noexcept {
    using std::chrono::steady_clock;
    return std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now().time_since_epoch()).count();
  }

  ThreadTrial& trial_;
  int64_t begin_;
};

}  // namespace slipway
