#include "fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(SLIPWAY_TSAN_FIBERS)
#include <sanitizer/tsan_interface.h>
#endif

#if defined(__x86_64__)
// Saves what System V's calling convention (AMD64 ABI, figure 3.4) lets a function keep, swaps stacks, returns there.
// A switch costs about as much as a call; swapcontext() asks the kernel for the signal mask each time.
extern "C" void slipway_emulation_switch(void** save, void* load);
asm(R"(
.text
.globl slipway_emulation_switch
.hidden slipway_emulation_switch
.type slipway_emulation_switch, @function
slipway_emulation_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size slipway_emulation_switch, .-slipway_emulation_switch
)");
#endif

namespace slipway::emulation {

namespace {

// Only pages that are touched take memory; frames of unoptimised and sanitized code are large.
constexpr std::size_t kStackBytes = 256 * 1024;
// Stacks that all begin at the same offset in a page would share a few sets of the first cache.
constexpr std::size_t kColors = 64;
constexpr std::size_t kColorBytes = 64;

// Where sanitizers are told that a switch ends, on the side that is entered.
thread_local constinit Fiber* left = nullptr;
thread_local constinit Fiber* entered = nullptr;

std::size_t page_bytes() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

}  // namespace

/// The first code of every fiber.
void begin_fiber() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &left->bottom_, &left->bytes_);
#endif
  entered->entry_();
  std::abort();
}

Fiber::Fiber() noexcept {
#if defined(SLIPWAY_TSAN_FIBERS)
  tsan_ = __tsan_get_current_fiber();
#endif
#if !defined(__x86_64__)
  saved_ = new ucontext_t;
#endif
}

Fiber::Fiber(void (*entry)(), std::size_t color) : entry_(entry), color_(color % kColors) {
  bytes_ = kStackBytes;
  const std::size_t mapped = kStackBytes + page_bytes();
  void* memory =
      ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  ::mprotect(memory, page_bytes(), PROT_NONE);
  memory_ = static_cast<unsigned char*>(memory);
  bottom_ = memory_ + page_bytes();
#if !defined(__x86_64__)
  saved_ = new ucontext_t;
#endif
  reset();
}

Fiber::~Fiber() {
#if !defined(__x86_64__)
  delete static_cast<ucontext_t*>(saved_);
#endif
  if (memory_ == nullptr) return;
#if defined(SLIPWAY_TSAN_FIBERS)
  __tsan_destroy_fiber(tsan_);
#endif
  ::munmap(memory_, kStackBytes + page_bytes());
}

void Fiber::reset() {
#if defined(__SANITIZE_ADDRESS__)
  // Frames that were left behind keep their red zones.
  __asan_unpoison_memory_region(bottom_, bytes_);
#endif
  fake_stack_ = nullptr;
#if defined(SLIPWAY_TSAN_FIBERS)
  // Its record of calls would grow with every frame that was left behind.
  if (tsan_ != nullptr) __tsan_destroy_fiber(tsan_);
  tsan_ = __tsan_create_fiber(0);
#endif
#if defined(__x86_64__)
  // As after a call: the stack pointer is 8 past a multiple of 16, and a null return address ends every backtrace.
  unsigned char* top = memory_ + page_bytes() + kStackBytes - color_ * kColorBytes;
  auto* slots = reinterpret_cast<void**>(top);
  *--slots = nullptr;
  *--slots = reinterpret_cast<void*>(&begin_fiber);
  for (int saved_register = 0; saved_register < 6; ++saved_register) *--slots = nullptr;
  saved_ = slots;
#else
  auto* context = static_cast<ucontext_t*>(saved_);
  ::getcontext(context);
  context->uc_stack.ss_sp = memory_ + page_bytes();
  context->uc_stack.ss_size = kStackBytes - color_ * kColorBytes;
  context->uc_link = nullptr;
  ::makecontext(context, &begin_fiber, 0);
#endif
}

void Fiber::switch_from(Fiber& from) noexcept {
  left = &from;
  entered = this;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&from.fake_stack_, bottom_, bytes_);
#endif
#if defined(SLIPWAY_TSAN_FIBERS)
  // Without synchronisation: only barriers order what the threads of a grid do.
  __tsan_switch_to_fiber(tsan_, __tsan_switch_to_fiber_no_sync);
#endif
#if defined(__x86_64__)
  slipway_emulation_switch(&from.saved_, saved_);
#else
  ::swapcontext(static_cast<ucontext_t*>(from.saved_), static_cast<ucontext_t*>(saved_));
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(from.fake_stack_, &left->bottom_, &left->bytes_);
#endif
}

}  // namespace slipway::emulation
