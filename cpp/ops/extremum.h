// Max and Min of any number of inputs as kernels see them. NaN in any input gives NaN.
#pragma once

#include "ops/call.h"
#include "ops/walk.h"

namespace slipway {

struct ExtremumCall {
  const Walk<1>* walks = nullptr;  ///< one per input, each over the whole output
  int64_t inputs = 0;
};

}  // namespace slipway
