// Windows on the device: positions from element numbers.
#pragma once

#include "ops/pack.cuh"
#include "ops/window.h"

namespace slipway::cuda {

/// Depth, height and width of a position, and the taps of a window there that lie in the input.
struct WindowAt {
  int64_t first[3];  ///< what tap 0 reads along each axis
  Taps taps[3];
};

[[nodiscard]] __device__ inline WindowAt window_at(const Window& window, int64_t output) {
  WindowAt at;
  for (int axis = 2; axis >= 0; --axis) {
    const WindowAxis& along = window.axes[axis];
    const int64_t o = output % along.output;
    output /= along.output;
    at.first[axis] = o * along.stride - along.begin;
    at.taps[axis] = taps_within(along, o, along.input);
  }
  return at;
}

/// Calls f(position in the input, tap) for every tap that lies in the input, in order.
template <typename F>
__device__ inline void for_each_tap(const Window& window, const WindowAt& at, F& f) {
  const WindowAxis(&axes)[3] = window.axes;
  for (int64_t i = at.taps[0].begin; i < at.taps[0].end; ++i) {
    for (int64_t j = at.taps[1].begin; j < at.taps[1].end; ++j) {
      const int64_t plane = (at.first[0] + i * axes[0].dilation) * axes[1].input;
      const int64_t row = (plane + at.first[1] + j * axes[1].dilation) * axes[2].input + at.first[2];
      const int64_t tap = (i * axes[1].kernel + j) * axes[2].kernel;
      for (int64_t k = at.taps[2].begin; k < at.taps[2].end; ++k) f(row + k * axes[2].dilation, tap + k);
    }
  }
}

}  // namespace slipway::cuda
