// A stack that code can run on and be left in the middle of: what a thread of a grid runs on.
#pragma once

#include <cstddef>

namespace slipway::emulation {

/// Not movable: sanitizers and the stack itself keep its address.
class Fiber final {
 public:
  /// The stack that the calling host thread runs on; it is never reset.
  Fiber() noexcept;
  /// A stack of its own, on which entry() will run; it must never return. `color` spreads the tops of stacks over the
  /// sets of the cache.
  Fiber(void (*entry)(), std::size_t color);
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber();

  /// Forgets what ran here; the next switch begins with entry().
  void reset();
  /// Leaves the running fiber `from` and goes on in this one. Returns when somebody switches to `from`.
  void switch_from(Fiber& from) noexcept;

 private:
  friend void begin_fiber();

  void (*entry_)() = nullptr;
  unsigned char* memory_ = nullptr;  // a guard page, then the stack
  std::size_t color_ = 0;
  void* saved_ = nullptr;  // the stack pointer, or a ucontext_t
  const void* bottom_ = nullptr;
  std::size_t bytes_ = 0;
  void* fake_stack_ = nullptr;  // of AddressSanitizer
  void* tsan_ = nullptr;        // ThreadSanitizer's fiber
};

}  // namespace slipway::emulation
