#include "infer/image.h"

#include <utility>

#include "base/error.h"

#ifdef SLIPWAY_HAS_PNG
#include <png.h>
#endif
#ifdef SLIPWAY_HAS_JPEG
#include <cstdio>
// jpeglib.h needs cstdio before it.
#include <jpeglib.h>
#endif

namespace slipway::infer {

namespace {

uint8_t over_black(uint8_t value, uint8_t alpha) { return static_cast<uint8_t>((value * alpha + 127) / 255); }

// ITU-R 601 weights in 16-bit fixed point.
uint8_t grey(uint8_t red, uint8_t green, uint8_t blue) {
  return static_cast<uint8_t>((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);
}

}  // namespace

void check_pixels(int64_t width, int64_t height) {
  if (width < 1 || height < 1) fail(Code::kInput, "it has ", width, " x ", height, " pixels");
  if (width > kMaxPixels || height > kMaxPixels || width * height > kMaxPixels) {
    fail(Code::kLimit, "it has ", width, " x ", height, " pixels, the limit is ", kMaxPixels);
  }
}

Image decode_image(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return decode_png(bytes);
  if (bytes.starts_with("\xFF\xD8\xFF")) return decode_jpeg(bytes);
  fail(Code::kInput, "it is neither PNG nor JPEG (it starts with ", quote(bytes.substr(0, 8)), ")");
}

std::string image_libraries() {
#ifdef SLIPWAY_HAS_PNG
  std::string text = concat("png ", PNG_LIBPNG_VER_STRING);
#else
  std::string text = "no png";
#endif
#ifdef SLIPWAY_HAS_JPEG
  return text + concat(", jpeg ", JPEG_LIB_VERSION);
#else
  return text + ", no jpeg";
#endif
}

std::vector<Plane> planes_of(const ImageSpec& spec, const Image& image) {
  const int64_t count = image.height * image.width;
  const bool has_alpha = image.channels % 2 == 0;
  const bool is_grey = image.channels < 3;
  const auto planes_needed = static_cast<std::size_t>(is_grey ? 1 : spec.channels);
  std::vector<Plane> planes(planes_needed, {image.height, image.width, {}});
  for (Plane& plane : planes) plane.pixels.resize(static_cast<std::size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t* pixel = image.pixels.data() + i * image.channels;
    const uint8_t alpha = has_alpha ? pixel[image.channels - 1] : 255;
    const auto value = [&](int c) { return has_alpha ? over_black(pixel[c], alpha) : pixel[c]; };
    const auto place = static_cast<std::size_t>(i);
    if (planes.size() == 3) {
      for (int c = 0; c < 3; ++c) planes[static_cast<std::size_t>(c)].pixels[place] = value(c);
    } else {
      planes[0].pixels[place] = is_grey ? value(0) : grey(value(0), value(1), value(2));
    }
  }
  for (Plane& plane : planes) {
    plane = resize(std::move(plane), spec.height > 0 ? spec.height : image.height,
                   spec.width > 0 ? spec.width : image.width);
  }
  planes.resize(static_cast<std::size_t>(spec.channels), planes[0]);
  return planes;
}

}  // namespace slipway::infer
