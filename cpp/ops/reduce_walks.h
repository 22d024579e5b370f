// Reductions as kernels see them.
#pragma once

#include "ops/call.h"
#include "ops/walk.h"

namespace slipway {

/// Walks over the kept axes (one element of y each) and over the reduced ones.
struct ReduceWalks {
  Walk<1> kept;
  Walk<1> reduced;
  /// Terms of the innermost reduced axes, up to the first kept one, whatever that one's size: the order of a sum may
  /// depend on it, and not on how many sums there are. 0 where the innermost axis is kept.
  int64_t run = 0;
};

}  // namespace slipway
