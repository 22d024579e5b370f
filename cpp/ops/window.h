// Windows that slide over up to three spatial axes, as kernels of convolution and pooling see them.
#pragma once

#include <cstdint>

#include "base/both.h"

namespace slipway {

/// One spatial axis. Tap t of output o reads input o * stride - begin + t * dilation, which may lie in the padding.
struct WindowAxis {
  int64_t input = 1;
  int64_t output = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t begin = 0;  ///< padding before the first element
  int64_t end = 0;    ///< padding after the last element
};

/// Depth, height, width; the axes that a tensor of lower rank lacks have size 1.
struct Window {
  WindowAxis axes[3];

  [[nodiscard]] SLIPWAY_BOTH constexpr int64_t inputs() const noexcept {
    return axes[0].input * axes[1].input * axes[2].input;
  }
  [[nodiscard]] SLIPWAY_BOTH constexpr int64_t outputs() const noexcept {
    return axes[0].output * axes[1].output * axes[2].output;
  }
  [[nodiscard]] SLIPWAY_BOTH constexpr int64_t taps() const noexcept {
    return axes[0].kernel * axes[1].kernel * axes[2].kernel;
  }
};

/// Taps [begin, end) of one output along an axis.
struct Taps {
  int64_t begin;
  int64_t end;
};

/// The taps of output `o` that read positions in [0, size); no other tap needs a look.
[[nodiscard]] static constexpr Taps taps_within(const WindowAxis& axis, int64_t o, int64_t size) noexcept {
  const int64_t first = o * axis.stride - axis.begin;
  // A division takes as long as all the rest.
  const auto steps = [&](int64_t way) { return axis.dilation == 1 ? way : way / axis.dilation; };
  const int64_t begin = first < 0 ? steps(axis.dilation - 1 - first) : 0;
  const int64_t past = first < size ? steps(size - 1 - first) + 1 : 0;
  const int64_t end = past < axis.kernel ? past : axis.kernel;
  return {begin, begin < end ? end : begin};
}

}  // namespace slipway
