// Windows on the device: positions from element numbers. Index is int where all positions fit, for speed.
#pragma once

#include "ops/pack.cuh"
#include "ops/window.h"

namespace slipway::cuda {

/// One axis, in the type that positions have.
template <typename Index>
struct DeviceAxis {
  Index input;
  Index output;
  Index kernel;
  Index stride;
  Index dilation;
  Index begin;
  Index end;

  explicit DeviceAxis(const WindowAxis& axis) noexcept
      : input(static_cast<Index>(axis.input)),
        output(static_cast<Index>(axis.output)),
        kernel(static_cast<Index>(axis.kernel)),
        stride(static_cast<Index>(axis.stride)),
        dilation(static_cast<Index>(axis.dilation)),
        begin(static_cast<Index>(axis.begin)),
        end(static_cast<Index>(axis.end)) {}

  /// Taps [first, last) of an output that read positions in [0, size); no other tap needs a look.
  struct Inside {
    Index first;
    Index last;
  };
  [[nodiscard]] __device__ Inside taps_within(Index o, Index size) const {
    const Index at = o * stride - begin;
    const Index first = at < 0 ? (dilation - 1 - at) / dilation : 0;
    const Index past = at < size ? (size - 1 - at) / dilation + 1 : 0;
    const Index last = past < kernel ? past : kernel;
    return {first, first < last ? last : first};
  }
};

template <typename Index>
struct DeviceWindow {
  DeviceAxis<Index> axes[3];

  explicit DeviceWindow(const Window& window) noexcept
      : axes{DeviceAxis<Index>(window.axes[0]), DeviceAxis<Index>(window.axes[1]), DeviceAxis<Index>(window.axes[2])} {}

  [[nodiscard]] __device__ Index inputs() const { return axes[0].input * axes[1].input * axes[2].input; }
  [[nodiscard]] __device__ Index outputs() const { return axes[0].output * axes[1].output * axes[2].output; }
  [[nodiscard]] __device__ Index taps() const { return axes[0].kernel * axes[1].kernel * axes[2].kernel; }
};

/// Where the window of an output is, along each axis, and its taps inside the input.
template <typename Index>
struct WindowAt {
  Index output[3];
  Index first[3];  ///< what tap 0 reads
  typename DeviceAxis<Index>::Inside taps[3];
};

template <typename Index>
[[nodiscard]] __device__ WindowAt<Index> window_at(const DeviceWindow<Index>& window, Index output) {
  WindowAt<Index> at;
  for (int axis = 2; axis >= 0; --axis) {
    const DeviceAxis<Index>& along = window.axes[axis];
    at.output[axis] = output % along.output;
    output /= along.output;
    at.first[axis] = at.output[axis] * along.stride - along.begin;
    at.taps[axis] = along.taps_within(at.output[axis], along.input);
  }
  return at;
}

/// Calls f(position in the input, tap) for every tap that lies in the input, in order.
template <typename Index, typename F>
__device__ void for_each_tap(const DeviceWindow<Index>& window, const WindowAt<Index>& at, F& f) {
  const DeviceAxis<Index>(&axes)[3] = window.axes;
  for (Index i = at.taps[0].first; i < at.taps[0].last; ++i) {
    for (Index j = at.taps[1].first; j < at.taps[1].last; ++j) {
      const Index plane = (at.first[0] + i * axes[0].dilation) * axes[1].input;
      const Index row = (plane + at.first[1] + j * axes[1].dilation) * axes[2].input + at.first[2];
      const Index tap = (i * axes[1].kernel + j) * axes[2].kernel;
      for (Index k = at.taps[2].first; k < at.taps[2].last; ++k) f(row + k * axes[2].dilation, tap + k);
    }
  }
}

/// True where int holds every position that windows reach to in `planes` inputs and outputs.
[[nodiscard]] inline bool fits_int(const Window& window, int64_t planes) noexcept {
  constexpr int64_t kMost = INT32_MAX / 4;
  int64_t reached = 1;
  for (const WindowAxis& axis : window.axes) {
    if (axis.kernel > kMost || axis.stride > kMost || axis.dilation > kMost || axis.begin > kMost || axis.end > kMost ||
        axis.input > kMost || axis.output > kMost) {
      return false;
    }
    if (axis.output * axis.stride + axis.kernel * axis.dilation > kMost) return false;
    if (reached > kMost / (axis.input + axis.begin + axis.end + 1)) return false;
    reached *= axis.input + axis.begin + axis.end + 1;
  }
  return window.inputs() * planes <= kMost && window.outputs() * planes <= kMost;
}

}  // namespace slipway::cuda
