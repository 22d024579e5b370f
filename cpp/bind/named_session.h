// A session as Python holds it: with the names of its ports, and a run of what needs neither checks nor conversions.
#pragma once

#include <pybind11/numpy.h>

#include <utility>
#include <vector>

#include "slipway/slipway.h"

namespace slipway {

class NamedSession final {
 public:
  explicit NamedSession(Session session);

  [[nodiscard]] const Session& session() const noexcept { return session_; }

  /// Runs a dict that holds just the inputs, each a C-contiguous array of its type, and returns a dict of the outputs.
  /// Null for anything else, which the caller converts or refuses: most runs need neither. `arrays` is an exact dict.
  [[nodiscard]] pybind11::object run_plain(pybind11::handle arrays) const;

 private:
  struct PlainPort {
    pybind11::str name;
    int type;  ///< NumPy's number of the element type
    DType dtype;
  };

  [[nodiscard]] static std::vector<PlainPort> plain(const std::vector<PortInfo>& ports);
  [[nodiscard]] bool look_at(PyObject* object, const PlainPort& port, TensorView* view) const;

  Session session_;
  std::vector<PlainPort> inputs_;
  std::vector<PlainPort> outputs_;
  pybind11::object ndarray_;
};

}  // namespace slipway
