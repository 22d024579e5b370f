#include "base/thread_pool.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace slipway {

struct ThreadPool::State {
  std::mutex in_use;  // held by the one caller whose work is being done
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable done;
  std::vector<std::thread> workers;
  uint64_t round = 0;
  int pending = 0;
  bool is_stopping = false;
  const pid_t process = getpid();

  // A fork copies the memory but not the workers: the child then works alone.
  [[nodiscard]] bool has_workers() const noexcept { return !workers.empty() && getpid() == process; }

  const void* context = nullptr;
  Body body = nullptr;
  int64_t count = 0;
  int64_t piece = 0;

  void work(int index) noexcept {
    uint64_t seen = 0;
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return is_stopping || round != seen; });
      if (is_stopping) return;
      seen = round;
      const int64_t begin = std::min(count, piece * index);
      const int64_t end = std::min(count, begin + piece);
      lock.unlock();
      if (begin < end) body(context, begin, end);
      lock.lock();
      if (--pending == 0) done.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>().release()) {
  for (int i = 1; i < threads; ++i) state_->workers.emplace_back([state = state_, i] { state->work(i); });
}

ThreadPool::~ThreadPool() {
  if (!state_->workers.empty() && !state_->has_workers()) return;  // nobody to join: the state is left behind
  const std::unique_ptr<State> owner(state_);
  {
    const std::scoped_lock lock(state_->mutex);
    state_->is_stopping = true;
  }
  state_->wake.notify_all();
  for (std::thread& worker : state_->workers) worker.join();
}

int ThreadPool::threads() const noexcept { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::run(int64_t count, int64_t grain, const void* context, Body body) noexcept {
  State& state = *state_;
  const std::unique_lock owner(state.in_use, std::try_to_lock);
  if (!owner.owns_lock() || !state.has_workers()) return body(context, 0, count);
  const int64_t piece = std::max(grain, (count + threads() - 1) / threads());
  {
    const std::scoped_lock lock(state.mutex);
    state.context = context;
    state.body = body;
    state.count = count;
    state.piece = piece;
    state.pending = static_cast<int>(state.workers.size());
    ++state.round;
  }
  state.wake.notify_all();
  body(context, 0, std::min(count, piece));
  std::unique_lock lock(state.mutex);
  state.done.wait(lock, [&] { return state.pending == 0; });
}

}  // namespace slipway
