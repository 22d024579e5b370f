// The extension module slipway._engine: raw and private; slipway/session.py and slipway/ops.py give it manners.
#include "bind/bind.h"
#include "slipway/slipway.h"

PYBIND11_MODULE(_engine, module) {
  module.doc() = "The slipway engine.";
  module.attr("__version__") = slipway::version();
  slipway::register_errors(module);
  slipway::register_interrupts();
  slipway::register_array_interface(module);
  slipway::register_device_arrays(module);
  slipway::register_ops(module);
  slipway::register_peak(module);
  slipway::register_session(module);
}
