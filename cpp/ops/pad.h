// Pad as its kernels see it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/both.h"

namespace slipway {

enum class PadMode { kConstant, kReflect, kEdge, kWrap };

/// One axis of x.
struct PadAxis {
  int64_t size = 1;
  int64_t stride = 1;
  int64_t begin = 0;  ///< elements of y before the first of x
};

/// An axis of y that holds rows, or whose elements lie side by side in x if it is the last one.
struct PadRow {
  PadAxis from;
  int64_t count = 0;  ///< places of y
  int64_t size = 0;   ///< elements of y at one place
};

struct PadPrepared {
  PadMode mode = PadMode::kConstant;
  std::vector<PadAxis> axes;  ///< what CUDA reads
  /// What the host reads: all axes up to the last one with pads; the axes inside it are those of x. Nothing of it grows
  /// with the pads, which may ask for far more than there is memory.
  std::vector<PadRow> rows;
};

/// Place in [0, size) that an axis's place `at` shows, or -1 for the constant.
[[nodiscard]] SLIPWAY_BOTH inline int64_t source_of(int64_t at, int64_t size, PadMode mode) noexcept {
  if (at >= 0 && at < size) return at;
  if (mode == PadMode::kConstant) return -1;
  if (mode == PadMode::kEdge) return at < 0 ? 0 : size - 1;
  const int64_t there_and_back = 2 * (size - 1) > 1 ? 2 * (size - 1) : 1;
  const int64_t period = mode == PadMode::kWrap ? size : there_and_back;
  const int64_t phase = (at % period + period) % period;
  return phase < size ? phase : period - phase;
}

}  // namespace slipway
