// A small fork-join pool. Work is cut by index, never by timing, so results do not depend on the thread count.
#pragma once

#include <cstdint>

namespace slipway {

class ThreadPool final {
 public:
  /// `threads` counts the caller too: 1 means that nothing is started.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int threads() const noexcept;

  /// Calls body(context, begin, end) over pieces of [0, count) of at least `grain` items, and waits. If another
  /// thread is using the pool, the caller does all the work itself. Allocates nothing.
  using Body = void (*)(const void* context, int64_t begin, int64_t end) noexcept;
  void run(int64_t count, int64_t grain, const void* context, Body body) noexcept;

 private:
  struct State;
  State* state_;  // owned; a plain pointer keeps the standard library out of kernels
};

/// parallel_for(pool, n, grain, [&](int64_t begin, int64_t end) { ... }); `pool` may be null.
template <typename F>
void parallel_for(ThreadPool* pool, int64_t count, int64_t grain, const F& body) noexcept {
  if (pool == nullptr || count <= grain) {
    if (count > 0) body(int64_t{0}, count);
    return;
  }
  pool->run(count, grain, &body, [](const void* context, int64_t begin, int64_t end) noexcept {
    (*static_cast<const F*>(context))(begin, end);
  });
}

}  // namespace slipway
