// Ctrl-C while a model loops: Python only notes a signal until its main thread comes back.
#include <unistd.h>

#include <chrono>

#include "base/interrupt.h"
#include "bind/bind.h"

namespace py = pybind11;

namespace slipway {

namespace {

constexpr std::chrono::milliseconds kPause{50};

void raise_what_signals_raise() {
  static thread_local std::chrono::steady_clock::time_point last;
  const auto now = std::chrono::steady_clock::now();
  if (now - last < kPause) return;
  last = now;
  if (gettid() != getpid()) return;  // Python handles signals in its main thread
  const py::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

}  // namespace

void register_interrupts() { set_interrupt_check(&raise_what_signals_raise); }

}  // namespace slipway
