// The extension module slipway._engine: raw and private; slipway/session.py and slipway/ops.py give it manners.
#include "bind/bind.h"

PYBIND11_MODULE(_engine, module) {
  module.doc() = "The slipway engine.";
  slipway::register_errors(module);
  slipway::register_ops(module);
}
