#include "base/fork.h"

#include <pthread.h>

#include <atomic>

namespace slipway {

namespace {

// Of the process, as forks are: what pthread_atfork() calls takes no argument.
std::atomic<int> forks{0};   // under way
std::atomic<int> inside{0};  // threads that hold a NoFork
thread_local int depth = 0;  // of NoFork within NoFork

// Either the thread sees the fork or the fork sees the thread: both write first and read then.
void before_fork() noexcept {
  ++forks;
  for (int seen = inside; seen > 0; seen = inside) inside.wait(seen);
}

void after_fork_in_parent() noexcept {
  --forks;
  forks.notify_all();
}

void after_fork_in_child() noexcept {
  forks = 0;
  inside = 0;  // another thread may have looked in
}

void leave() noexcept {
  if (--inside == 0 && forks > 0) inside.notify_all();
}

const int registered = pthread_atfork(&before_fork, &after_fork_in_parent, &after_fork_in_child);

}  // namespace

NoFork::NoFork() noexcept {
  if (depth++ > 0) return;
  for (++inside; forks > 0; ++inside) {
    leave();
    for (int seen = forks; seen > 0; seen = forks) forks.wait(seen);
  }
}

NoFork::~NoFork() {
  if (--depth == 0) leave();
}

}  // namespace slipway
