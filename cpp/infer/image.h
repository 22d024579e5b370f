// PNG and JPEG files as 8-bit planes, through the system's libpng and libjpeg where the build found them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "infer/resize.h"

namespace slipway::infer {

/// An image of more pixels is refused before it is decoded: a small file can ask for gigabytes.
inline constexpr int64_t kMaxPixels = int64_t{64} << 20;

/// 8-bit pixels, channels interleaved: grey, grey and alpha, RGB, or RGB and alpha.
struct Image {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  std::vector<uint8_t> pixels;
};

/// How an image becomes an input; heights and widths of 0 keep the image's own.
struct ImageSpec {
  int64_t channels = 1;
  int64_t height = 28;
  int64_t width = 28;
  std::vector<double> mean = {0.0};
  std::vector<double> std = {1.0};
};

/// Decodes a file's bytes. Throws Error(kInput) for what is broken or not supported, Error(kLimit) for too many
/// pixels, Error(kUnavailable) where this build lacks the library.
[[nodiscard]] Image decode_image(std::string_view bytes);
[[nodiscard]] Image decode_png(std::string_view bytes);
[[nodiscard]] Image decode_jpeg(std::string_view bytes);
/// Throws Error(kLimit) above kMaxPixels.
void check_pixels(int64_t width, int64_t height);
/// "png 1.6.39, no jpeg": what this build can decode.
[[nodiscard]] std::string image_libraries();

/// Alpha composed over black, grey or RGB as the spec asks, resized: one plane per channel.
[[nodiscard]] std::vector<Plane> planes_of(const ImageSpec& spec, const Image& image);

}  // namespace slipway::infer
