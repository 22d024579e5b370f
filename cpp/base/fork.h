// A fork copies the memory of a process and one of its threads: what another has locked stays locked in the child.
#pragma once

namespace slipway {

/// A short time in which no thread forks: one that wants to waits for its end. For whoever holds a mutex.
class NoFork final {
 public:
  NoFork() noexcept;
  ~NoFork();
  NoFork(const NoFork&) = delete;
  NoFork& operator=(const NoFork&) = delete;
};

/// A lock of a mutex, for example std::scoped_lock<std::mutex>, that no fork cuts in two.
template <typename Lock>
class WholeLock final {
 public:
  template <typename Mutex>
  explicit WholeLock(Mutex& mutex) : lock_(mutex) {}
  WholeLock(const WholeLock&) = delete;
  WholeLock& operator=(const WholeLock&) = delete;

 private:
  NoFork no_fork_;  // first: begins before the lock and ends after it
  Lock lock_;
};

}  // namespace slipway
