#include "faults.h"

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <vector>

#include "allocations.h"
#include "machine.h"

namespace slipway::emulation {

#if defined(__SANITIZE_ADDRESS__) || defined(SLIPWAY_TSAN_FIBERS)

void watch_faults() {}

#else

namespace {

struct sigaction before[2];

struct sigaction& before_of(int number) { return before[number == SIGSEGV ? 0 : 1]; }

// A fault is met where the program stands, so what a handler may usually not call is safe unless the program stood in
// it: kernels do not.
void handle(int number, siginfo_t* info, void*) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  char text[128];
  if (Machine::is_in_kernel()) {
    describe_address(address, text, sizeof text);
    Machine::here().fail({}, "it touched %s", text);
  }
  if (is_of_device(address)) {
    std::fprintf(stderr, "CUDA emulation: the host touched memory of the device\n");
  }
  // Met again at once, and handled as it would have been.
  ::sigaction(number, &before_of(number), nullptr);
}

}  // namespace

void watch_faults() {
  // A stack that has no room left cannot hold a handler.
  thread_local std::vector<unsigned char> stack;
  stack_t now = {};
  if (stack.empty() && ::sigaltstack(nullptr, &now) == 0 && (now.ss_flags & SS_DISABLE) != 0) {
    stack.resize(64 * 1024);
    now = {.ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()};
    ::sigaltstack(&now, nullptr);
  }
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  struct sigaction ours = {};
  ours.sa_sigaction = &handle;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (const int number : {SIGSEGV, SIGBUS}) {
    struct sigaction current = {};
    ::sigaction(number, nullptr, &current);
    if ((current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == &handle) continue;
    before_of(number) = current;
    ::sigaction(number, &ours, nullptr);
  }
}

#endif

}  // namespace slipway::emulation
