// Pooling as kernels see it.
#pragma once

#include "ops/call.h"
#include "ops/window.h"

namespace slipway {

struct PoolCall {
  Window window;
  int64_t planes = 0;            ///< images times channels
  bool counts_padding = false;   ///< AveragePool: count_include_pad
  bool is_column_major = false;  ///< MaxPool: storage_order
};

namespace scalar {
/// The meaning; vector kernels leave other types than float32, and indices, to it.
void average_pool(const OpCall& call) noexcept;
void max_pool(const OpCall& call) noexcept;
}  // namespace scalar

}  // namespace slipway
