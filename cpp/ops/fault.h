// Turns what a kernel reported into an Error.
#pragma once

#include "base/error.h"
#include "ops/op.h"

namespace slipway {

inline void throw_if(const RunFault& fault) {
  if (fault.what == nullptr) return;
  if (fault.is_device) fail(Code::kFault, "the CUDA device refused it: ", fault.what);
  fail(Code::kFault, fault.what, " is ", fault.got, ", allowed are ", fault.low, " to ", fault.high);
}

}  // namespace slipway
