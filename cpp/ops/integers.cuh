// Outputs that are a few integers known on the host.
#pragma once

#include "ops/launch.cuh"

namespace slipway::cuda {

/// Up to kMost integers as a kernel's parameter.
template <int kMost>
struct Integers {
  int count = 0;
  int64_t at[kMost] = {};
};

/// y = values. One thread; at most 64 bytes, bound by the launch.
/// Checked against the scalar column by tests/ops.
template <int kMost>
__global__ void write_integers_kernel(int64_t* y, const Integers<kMost> values) {
  start_in_order();
#pragma unroll
  for (int k = 0; k < kMost; ++k) {
    if (k < values.count) y[k] = values.at[k];
  }
}

template <int kMost>
void write_integers(const OpCall& call, const Integers<kMost>& values) noexcept {
  if (values.count > 0) launch(call, &write_integers_kernel<kMost>, {}, call.outputs[0].as<int64_t>(), values);
}

}  // namespace slipway::cuda
