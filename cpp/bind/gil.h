// Work without the GIL, also while the interpreter ends.
#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

namespace slipway {

/// Takes the GIL back. Once the interpreter is ending, no thread but the one that ends it gets the GIL: CPython before
/// 3.14 unwinds the stack of any other, which destructors on the way do not survive. It waits here for the end of the
/// process instead, as CPython 3.14 has it wait.
inline void take_gil(PyThreadState* state) noexcept {
  try {
    PyEval_RestoreThread(state);
  } catch (...) {  // the unwinding: nothing else is thrown by C
    for (;;) pause();
  }
}

/// Lets other threads of Python run; less work than pybind11's own, and some calls take less than a microsecond.
class WithoutGil final {
 public:
  WithoutGil() : state_(PyEval_SaveThread()) {}
  ~WithoutGil() { take_gil(state_); }
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

 private:
  PyThreadState* state_;
};

}  // namespace slipway
