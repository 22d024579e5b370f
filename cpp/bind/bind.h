// The parts of the extension module; each file of this room registers one.
#pragma once

#include <pybind11/pybind11.h>

namespace slipway {

/// Turns slipway::Error into the classes of slipway/errors.py.
void register_errors(pybind11::module_& module);
/// Lets Ctrl-C, and whatever other signals Python handles, end a run between the steps of a loop.
void register_interrupts();
void register_array_interface(pybind11::module_& module);
void register_device_arrays(pybind11::module_& module);
void register_ops(pybind11::module_& module);
void register_peak(pybind11::module_& module);
void register_session(pybind11::module_& module);

}  // namespace slipway
