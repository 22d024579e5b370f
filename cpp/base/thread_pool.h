// A small fork-join pool. Work is cut by index, never by timing, so results do not depend on who does which piece.
#pragma once

#include <cstdint>

namespace slipway {

/// What a piece should take at least to be worth handing to another thread: about twice what a fork and join cost.
inline constexpr int64_t kPieceNanoseconds = 2000;

/// The grain of items that take `work` steps each, where one thread does `per_nanosecond` steps in a nanosecond.
[[nodiscard]] static constexpr int64_t grain_of(int64_t work, int64_t per_nanosecond) noexcept {
  return 1 + (kPieceNanoseconds * per_nanosecond - 1) / (work > 1 ? work : 1);
}

class ThreadPool final {
 public:
  /// `threads` counts the caller too: 1 means that nothing is started. SLIPWAY_SPIN_MICROSECONDS in the environment
  /// says how long a worker looks for more work before it sleeps; Error(kUsage) where it is no number.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int threads() const noexcept;

  /// Calls body(context, begin, end) over pieces of [0, count), at most one per thread and each of at least `grain`
  /// items, which should take kPieceNanoseconds; returns when all are done. The caller waits for no thread that has
  /// not begun a piece: it does that piece itself. Where another thread is using the pool, or waking one would take
  /// longer than the work, it does everything as one piece. Allocates nothing.
  using Body = void (*)(const void* context, int64_t begin, int64_t end) noexcept;
  void run(int64_t count, int64_t grain, const void* context, Body body) noexcept;

 private:
  struct State;
  State* state_;  // owned; a plain pointer keeps the standard library out of kernels
};

/// parallel_for(pool, n, grain, [&](int64_t begin, int64_t end) { ... }); `pool` may be null.
template <typename F>
void parallel_for(ThreadPool* pool, int64_t count, int64_t grain, const F& body) noexcept {
  if (pool == nullptr || count < 2 * grain) {
    if (count > 0) body(int64_t{0}, count);
    return;
  }
  pool->run(count, grain, &body, [](const void* context, int64_t begin, int64_t end) noexcept {
    (*static_cast<const F*>(context))(begin, end);
  });
}

}  // namespace slipway
