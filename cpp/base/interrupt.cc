#include "base/interrupt.h"

#include <atomic>

namespace slipway {

namespace {

std::atomic<InterruptCheck> interrupt_check = nullptr;

}  // namespace

void set_interrupt_check(InterruptCheck check) noexcept { interrupt_check.store(check, std::memory_order_relaxed); }

void check_interrupt() {
  if (const InterruptCheck check = interrupt_check.load(std::memory_order_relaxed)) check();
}

}  // namespace slipway
