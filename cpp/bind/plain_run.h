// The method slipway.Session.run without a frame of Python where none is needed.
#pragma once

#include <pybind11/pybind11.h>

namespace slipway {

/// Registers plain_first(run), a decorator for a method run(self, inputs, ...). Called with one exact dict that
/// NamedSession::run_plain of self._engine accepts, the result answers without calling `run`; else it calls `run`.
/// Like a function it binds to instances, and it has the name, documentation and signature of `run`.
void register_plain_run(pybind11::module_& module, pybind11::handle session_type);

}  // namespace slipway
