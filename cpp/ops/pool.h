// Pooling as kernels see it.
#pragma once

#include "ops/window.h"

namespace slipway {

struct PoolCall {
  Window window;
  int64_t planes = 0;            ///< images times channels
  bool counts_padding = false;   ///< AveragePool: count_include_pad
  bool is_column_major = false;  ///< MaxPool: storage_order
};

}  // namespace slipway
