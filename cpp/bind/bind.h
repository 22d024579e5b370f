// The parts of the extension module; each file of this room registers one.
#pragma once

#include <pybind11/pybind11.h>

namespace slipway {

void register_ops(pybind11::module_& module);

}  // namespace slipway
