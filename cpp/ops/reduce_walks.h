// Reductions as kernels see them.
#pragma once

#include "ops/call.h"
#include "ops/walk.h"

namespace slipway {

/// Walks over the kept axes (one element of y each) and over the reduced ones.
struct ReduceWalks {
  Walk<1> kept;
  Walk<1> reduced;
};

}  // namespace slipway
