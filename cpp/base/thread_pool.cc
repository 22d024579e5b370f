// Workers look for work for a while after their last piece, so that the forks of one run cost a few hundred
// nanoseconds, and then sleep. See docs/decisions/0007-fork-and-join.md.
#include "base/thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "base/error.h"

namespace slipway {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

constexpr microseconds kSpin{50};
/// Waking a thread takes the caller some microseconds, and the thread tens of them until it works.
constexpr int64_t kWakeGrains = 10;
constexpr std::size_t kCacheLine = 64;

/// Processors that this thread may use.
int count_processors() noexcept {
#if defined(__linux__)
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) == 0) return CPU_COUNT(&usable);
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

#if defined(__linux__)
/// Keeps workers off the processor that their caller stands on. Linux puts a thread that is woken beside the one that
/// wakes it where the other processors of a virtual machine look taken; there it waits until the work is done.
class Places {
 public:
  Places() noexcept { is_known_ = sched_getaffinity(0, sizeof usable_, &usable_) == 0; }

  void keep_apart(std::vector<std::thread>& workers) noexcept {
    const int caller = sched_getcpu();
    if (caller == avoided_ || caller < 0 || !is_known_) return;
    avoided_ = caller;
    cpu_set_t others = usable_;
    CPU_CLR(static_cast<std::size_t>(caller), &others);
    if (CPU_COUNT(&others) < static_cast<int>(workers.size())) return;
    for (std::thread& worker : workers) (void)pthread_setaffinity_np(worker.native_handle(), sizeof others, &others);
  }

 private:
  cpu_set_t usable_ = {};
  bool is_known_ = false;
  int avoided_ = -1;
};
#else
class Places {
 public:
  void keep_apart(std::vector<std::thread>&) noexcept {}
};
#endif

/// Where threads share processors, one that looks for work only keeps another from doing it.
microseconds choose_spin(int threads) {
  const char* wanted = std::getenv("SLIPWAY_SPIN_MICROSECONDS");
  if (wanted == nullptr || *wanted == '\0') return threads <= count_processors() ? kSpin : microseconds{0};
  const std::string_view text = wanted;
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) {
    fail(Code::kUsage, "SLIPWAY_SPIN_MICROSECONDS is ", quote(text), ", expected a number of microseconds");
  }
  return microseconds{number};
}

void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Which pieces of a job have been begun, as one word, so that a thread that comes late cannot begin one of the next.
struct Ticket {
  static constexpr int kBits = 10;
  static constexpr uint64_t kMost = (uint64_t{1} << kBits) - 1;

  uint64_t word = 0;  // from the lowest bits on: pieces begun, pieces, number of the job

  [[nodiscard]] int64_t begun() const noexcept { return static_cast<int64_t>(word & kMost); }
  [[nodiscard]] int64_t pieces() const noexcept { return static_cast<int64_t>(word >> kBits & kMost); }
  /// The next job, its first piece begun.
  [[nodiscard]] Ticket next(int64_t pieces) const noexcept {
    return {((word >> 2 * kBits) + 1) << 2 * kBits | static_cast<uint64_t>(pieces) << kBits | 1};
  }
};

}  // namespace

// A job is published by its ticket: who has raised it by one may read `job`, which stands until that piece is done.
struct ThreadPool::State {
  explicit State(int threads) : spin(choose_spin(threads)) {}

  struct Job {
    const void* context = nullptr;
    Body body = nullptr;
    int64_t count = 0;
    int64_t pieces = 0;
  };

  const microseconds spin;
  const pid_t process = getpid();
  std::vector<std::thread> workers;
  Places places;
  std::atomic<bool> is_used = false;  // by the one caller whose work is being done
  int64_t missed = 0;                 // grains that were not worth waking for
  Clock::time_point last_missed;
  std::atomic<bool> is_awaited = false;  // the caller sleeps until `finished` is what it should be

  alignas(kCacheLine) std::atomic<uint64_t> ticket = 0;
  std::atomic<bool> is_stopping = false;
  Job job;

  alignas(kCacheLine) std::atomic<uint32_t> finished = 0;  // pieces done by workers
  std::atomic<uint32_t> asleep = 0;
  std::atomic<uint32_t> wakes = 0;  // what sleepers wait on

  // A fork copies the memory but not the workers: the child then works alone.
  [[nodiscard]] bool has_workers() const noexcept { return !workers.empty() && getpid() == process; }

  /// True as soon as `is_reached`, false where that took too long.
  template <typename F>
  [[nodiscard]] bool spin_until(const F& is_reached) const noexcept {
    constexpr int kLooks = 64;
    const auto look = [&] {
      for (int i = 0; i < kLooks; ++i) {
        if (is_reached()) return true;
        pause();
      }
      return false;
    };
    if (spin == spin.zero()) return is_reached();
    if (look()) return true;
    const Clock::time_point end = Clock::now() + spin;
    while (Clock::now() < end) {
      if (look()) return true;
    }
    return false;
  }

  [[nodiscard]] bool has_news() const noexcept {
    const Ticket seen{ticket.load()};
    return seen.begun() < seen.pieces() || is_stopping.load();
  }

  /// Begins a piece and does it; false where all are begun.
  bool do_piece() noexcept {
    Ticket seen{ticket.load(std::memory_order_relaxed)};
    while (seen.begun() < seen.pieces()) {
      if (!ticket.compare_exchange_weak(seen.word, seen.word + 1, std::memory_order_acquire)) continue;
      do_piece(job, seen.begun());
      return true;
    }
    return false;
  }

  static void do_piece(const Job& job, int64_t piece) noexcept {
    job.body(job.context, piece * job.count / job.pieces, (piece + 1) * job.count / job.pieces);
  }

  void work() noexcept {
    while (!is_stopping.load()) {
      while (do_piece()) {
        finished.fetch_add(1);
        if (is_awaited.load()) finished.notify_one();
      }
      if (!spin_until([&] { return has_news(); })) sleep();
    }
  }

  /// Ends the workers.
  void stop() noexcept {
    is_stopping = true;
    wake(static_cast<int64_t>(workers.size()) + 1);
    for (std::thread& worker : workers) worker.join();
  }

  /// Either the caller sees the sleeper or the sleeper sees the job: both write first and read then.
  void sleep() noexcept {
    asleep.fetch_add(1);
    const uint32_t seen = wakes.load();
    if (!has_news()) wakes.wait(seen);
    asleep.fetch_sub(1);
  }

  void wake(int64_t wanted) noexcept {
    const int64_t sleepers = asleep.load();
    if (sleepers == 0) return;
    wakes.fetch_add(1);
    if (wanted >= sleepers) return wakes.notify_all();
    for (int64_t i = 0; i < wanted; ++i) wakes.notify_one();
  }

  /// True where work of so many grains, with what was missed just before, takes longer than waking.
  [[nodiscard]] bool is_worth_waking(int64_t grains) noexcept {
    if (grains >= kWakeGrains) return true;
    const Clock::time_point now = Clock::now();
    missed = now - last_missed < kSpin ? missed + grains : grains;
    last_missed = now;
    if (missed < kWakeGrains) return false;
    missed = 0;
    return true;
  }

  void await(uint32_t pieces) noexcept {
    if (spin_until([&] { return finished.load(std::memory_order_acquire) == pieces; })) return;
    is_awaited = true;
    for (uint32_t seen = finished; seen != pieces; seen = finished) finished.wait(seen);
    is_awaited = false;
  }

  void run(const Job& wanted, bool wakes_sleepers) noexcept {
    places.keep_apart(workers);
    job = wanted;
    finished.store(0, std::memory_order_relaxed);
    ticket.store(Ticket{ticket.load(std::memory_order_relaxed)}.next(wanted.pieces).word);
    if (wakes_sleepers) wake(wanted.pieces - 1);
    int64_t done = 0;
    do_piece(wanted, done++);
    while (do_piece()) ++done;
    await(static_cast<uint32_t>(wanted.pieces - done));
  }
};

ThreadPool::ThreadPool(int threads) : state_(nullptr) {
  auto state = std::make_unique<State>(threads);
  state->workers.reserve(static_cast<std::size_t>(threads) - 1);
  try {
    for (int i = 1; i < threads; ++i) state->workers.emplace_back([at = state.get()] { at->work(); });
  } catch (const std::system_error& error) {
    state->stop();
    fail(Code::kLimit, "cannot start ", threads - 1, " threads: ", error.code().message());
  } catch (...) {
    state->stop();
    throw;
  }
  state_ = state.release();
}

ThreadPool::~ThreadPool() {
  if (!state_->workers.empty() && !state_->has_workers()) return;  // nobody to join: the state is left behind
  const std::unique_ptr<State> owner(state_);
  owner->stop();
}

int ThreadPool::threads() const noexcept { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::run(int64_t count, int64_t grain, const void* context, Body body) noexcept {
  State& state = *state_;
  const int64_t pieces = std::min({int64_t{threads()}, count / grain, static_cast<int64_t>(Ticket::kMost)});
  if (pieces <= 1 || !state.has_workers() || state.is_used.exchange(true, std::memory_order_acquire)) {
    return body(context, 0, count);
  }
  const int64_t awake = threads() - int64_t{state.asleep.load()};
  const int64_t grains = grain > 1 ? count / grain : kWakeGrains;  // nobody knows how long an item of a grain takes
  const bool wakes = awake < pieces && state.is_worth_waking(grains);
  if (awake > 1 || wakes) {
    state.run({context, body, count, pieces}, wakes);
  } else {
    body(context, 0, count);
  }
  state.is_used.store(false, std::memory_order_release);
}

}  // namespace slipway
