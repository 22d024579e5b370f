// One output of a transposed convolution, on the host and on a CUDA device.
#pragma once

#include "base/both.h"
#include "ops/conv_transpose.h"

namespace slipway {

/// The index i for which tap t of input i lands on output o; -1 where there is none.
[[nodiscard]] SLIPWAY_BOTH inline int64_t source_of(const WindowAxis& axis, int64_t o, int64_t t) noexcept {
  const int64_t scaled = o + axis.begin - t * axis.dilation;
  if (scaled < 0 || scaled % axis.stride != 0 || scaled / axis.stride >= axis.output) return -1;
  return scaled / axis.stride;
}

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
