// One output of a transposed convolution, on the host and on a CUDA device.
#pragma once

#include "base/both.h"
#include "ops/conv_transpose.h"

namespace slipway {

/// Everything that lands on one output element of channel m (counted within its group), summed in double.
template <typename T>
[[nodiscard]] SLIPWAY_BOTH double gather(const TransposeCall& call, const T* x, const T* w, int64_t m,
                                         const int64_t (&at)[3]) noexcept {
  const auto& axes = call.window.axes;
  const int64_t taps = call.window.taps();
  double sum = 0.0;
  for (int64_t t = 0; t < taps; ++t) {
    const int64_t i = source_of(axes[0], at[0], t / (axes[1].kernel * axes[2].kernel));
    const int64_t j = source_of(axes[1], at[1], t / axes[2].kernel % axes[1].kernel);
    const int64_t k = source_of(axes[2], at[2], t % axes[2].kernel);
    if (i < 0 || j < 0 || k < 0) continue;
    const int64_t position = (i * axes[1].output + j) * axes[2].output + k;
    for (int64_t c = 0; c < call.channels; ++c) {
      sum += static_cast<double>(x[c * call.window.outputs() + position]) *
             static_cast<double>(w[(c * call.outputs + m) * taps + t]);
    }
  }
  return sum;
}

}  // namespace slipway
