// What Resize's attributes, scales and sizes mean: dimensions of y, and where its places lie in x.
#pragma once

#include <vector>

#include "ops/op.h"
#include "ops/resize.h"

namespace slipway {

enum class ResizeMode { kNearest, kLinear, kCubic };
enum class ResizeRounding { kPreferFloor, kPreferCeil, kFloor, kCeil };
enum class ResizeCoordinates { kHalfPixel, kHalfPixelSymmetric, kPytorchHalfPixel, kAlignCorners, kAsymmetric };

struct ResizeAttributes {
  ResizeMode mode = ResizeMode::kNearest;
  ResizeRounding rounding = ResizeRounding::kPreferFloor;
  ResizeCoordinates coordinates = ResizeCoordinates::kHalfPixel;
  double cubic_coefficient = -0.75;
  bool excludes_outside = false;
};

/// How much longer an axis becomes: up / down. Sizes are known as a fraction, which is exact.
struct ResizeScale {
  double up = 1.0;
  double down = 1.0;
  bool is_float32 = false;  ///< no better known than to that type

  [[nodiscard]] bool is_one() const noexcept { return up == down; }
};

/// Reads and checks them. Throws Error(kModel), and Error(kUnsupported) for what is missing here.
[[nodiscard]] ResizeAttributes resize_attributes(const NodeReader& node);

/// The dims of y; nothing where they are not known yet.
[[nodiscard]] std::optional<Dims> resized_dims(InferContext& context);

/// One scale for each axis of x.
[[nodiscard]] std::vector<ResizeScale> resize_scales(const PrepareContext& context);

/// How many taps each place has along an axis that becomes `count` long. Throws Error(kLimit) where they are too many.
[[nodiscard]] int taps_of(const ResizeAttributes& how, int64_t count);

/// Writes the taps of an axis of x that becomes `count` places long, and returns where the next ones go.
ResizeTap* write_taps(const ResizeAttributes& how, const ResizeScale& scale, int64_t size, int64_t count,
                      int64_t stride, ResizeTap* to);

}  // namespace slipway
