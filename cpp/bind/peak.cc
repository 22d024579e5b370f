// measure_peak: what the machine can do at most.
#include "exec/peak.h"

#include <string>

#include "base/error.h"
#include "bind/bind.h"
#include "bind/gil.h"

namespace py = pybind11;

namespace slipway {

namespace {

Peak peak_named(const std::string& name) {
  if (name == "flops") return Peak::kMultiplyAdd;
  if (name == "read") return Peak::kRead;
  if (name == "sigmoid") return Peak::kSigmoid;
  if (name == "tanh") return Peak::kTanh;
  fail(Code::kUsage, "there is no peak ", quote(name), "; there are flops, read, sigmoid, tanh");
}

double measure(const std::string& what, int64_t bytes, double seconds, int threads) {
  const Peak peak = peak_named(what);
  const WithoutGil released;
  return measure_peak(peak, bytes, seconds, threads);
}

}  // namespace

void register_peak(py::module_& module) {
  module.def("measure_peak", &measure, py::arg("what"), py::arg("bytes"), py::arg("seconds"), py::arg("threads"));
}

}  // namespace slipway
