// Which Python class an Error of the engine becomes: the mirror of base/error.h in slipway/errors.py.
#include <new>
#include <stdexcept>

#include "base/error.h"
#include "bind/bind.h"

namespace py = pybind11;

namespace slipway {

namespace {

const char* class_of(Code code) noexcept {
  switch (code) {
    case Code::kModel:
      return "ModelError";
    case Code::kUnsupported:
      return "UnsupportedError";
    case Code::kInput:
      return "InputError";
    case Code::kLimit:
      return "LimitError";
    case Code::kFault:
      return "RuntimeFault";
    case Code::kUnavailable:
      return "UnavailableError";
    case Code::kDamaged:
      return "BundleError";
    case Code::kIo:
      return "FileError";
    case Code::kUsage:
      return "UsageError";
  }
  return "SlipwayError";
}

void raise(const char* name, const char* message) {
  py::set_error(py::module_::import("slipway.errors").attr(name), message);
}

}  // namespace

void register_errors(py::module_& /*module*/) {
  // Local to this module: other extensions of the process keep their own translations.
  py::register_local_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const Error& error) {
      raise(class_of(error.code()), error.what());
    } catch (const std::bad_alloc&) {
      raise("LimitError", "there is not enough memory");
    } catch (const std::length_error&) {
      raise("LimitError", "a size is too large to be held in memory");
    }
  });
}

}  // namespace slipway
