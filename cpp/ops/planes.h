// Global pooling as kernels see it.
#pragma once

#include <cstdint>

namespace slipway {

/// A plane is everything behind the first two axes.
struct PlanesCall {
  int64_t planes = 0;
  int64_t size = 0;
};

}  // namespace slipway
