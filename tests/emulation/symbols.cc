// Names of kernels, for messages.
#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>

#include "scheduler.h"

namespace slipway::emulation {

std::string kernel_name(const void* kernel) {
  Dl_info info = {};
  if (::dladdr(kernel, &info) != 0 && info.dli_sname != nullptr) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> name(
        abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status), &std::free);
    return status == 0 ? name.get() : info.dli_sname;
  }
  std::ostringstream text;
  text << "at " << kernel;
  return text.str();
}

}  // namespace slipway::emulation
