// decode_png() of image.h through libpng. libpng reports errors by longjmp, so the functions that it may leave that
// way (below setjmp) own nothing.
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "infer/image.h"

#ifdef SLIPWAY_HAS_PNG
#include <png.h>

#include <csetjmp>

namespace slipway::infer {

namespace {

struct Source {
  const char* data;
  std::size_t left;
  char message[160];
};

void on_error(png_structp png, png_const_charp text) {
  auto* source = static_cast<Source*>(png_get_error_ptr(png));
  std::snprintf(source->message, sizeof source->message, "%s", text);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep to, std::size_t count) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (count > source->left) png_error(png, "the file is cut off");
  std::memcpy(to, source->data, count);
  source->data += count;
  source->left -= count;
}

/// libpng's two structures, freed at the end.
struct PngDecoder {
  png_structp png = nullptr;
  png_infop info = nullptr;

  explicit PngDecoder(Source& source) {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, on_error, on_warning);
    if (png != nullptr) info = png_create_info_struct(png);
  }
  ~PngDecoder() { png_destroy_read_struct(&png, &info, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;
};

bool read_header(png_structp png, png_infop info, Source* source) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_read_fn(png, source, on_read);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_pixels() has the limit and the better message
  png_set_chunk_malloc_max(png, 8 << 20);
  png_set_chunk_cache_max(png, 256);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_read_info(png, info);
  return true;
}

// Everything becomes 8 bits per channel. A transparent colour of a grey or RGB image is not alpha (as in Pillow);
// of a palette it is.
bool set_up_pixels(png_structp png, png_infop info) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  const int colour = png_get_color_type(png, info);
  png_set_strip_16(png);
  if (colour == PNG_COLOR_TYPE_PALETTE) {
    png_set_palette_to_rgb(png);
    if (png_get_valid(png, info, PNG_INFO_tRNS) != 0) png_set_tRNS_to_alpha(png);
  } else if (colour == PNG_COLOR_TYPE_GRAY) {
    png_set_expand_gray_1_2_4_to_8(png);
  }
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  return true;
}

bool read_pixels(png_structp png, png_bytepp rows) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_read_image(png, rows);
  png_read_end(png, nullptr);
  return true;
}

/// What decoders read differently, or not at all: the twin of _png_fault() in python/slipway/readers.py.
void check_chunks(std::string_view bytes) {
  const auto number = [&](std::size_t at) {
    uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
  };
  uint32_t palette = 0;
  uint32_t frames = 0;
  bool has_transparency = false;
  bool is_first_frame = false;  // that the picture is one of the animation's
  bool has_pixels = false;
  for (std::size_t at = 8; at + 12 <= bytes.size();) {
    const uint32_t length = number(at);
    const std::string_view type = bytes.substr(at + 4, 4);
    if (type == "IEND") break;
    if (type == "PLTE") palette = length / 3;
    const bool is_of_palette = bytes.size() > 25 && bytes[25] == PNG_COLOR_TYPE_PALETTE;
    if (type == "PLTE" && is_of_palette && has_pixels) fail(Code::kInput, "it is a broken PNG: its palette is late");
    if (type == "acTL" && length >= 4 && !has_pixels) frames = number(at + 8);
    if (type == "fcTL") is_first_frame = is_first_frame || !has_pixels;
    if (type == "tRNS") {
      if (has_transparency || has_pixels || (is_of_palette && length > palette)) {
        fail(Code::kInput, "it is a broken PNG: its transparency stands twice, out of place, or for more colours than ",
             "its palette has");
      }
      has_transparency = true;
    }
    has_pixels = has_pixels || type == "IDAT";
    at += std::size_t{12} + length;
  }
  if (frames > 0 && !is_first_frame) ++frames;
  if (frames > 1) fail(Code::kInput, "it is animated (", frames, " frames); give a single picture");
}

}  // namespace

Image decode_png(std::string_view bytes) {
  check_chunks(bytes);
  Source source{bytes.data(), bytes.size(), ""};
  const PngDecoder decoder(source);
  if (decoder.info == nullptr) fail(Code::kLimit, "there is no memory to decode it");
  const auto require = [&](bool done) {
    if (!done) fail(Code::kInput, "it is a broken PNG: ", source.message);
  };
  require(read_header(decoder.png, decoder.info, &source));
  check_pixels(png_get_image_width(decoder.png, decoder.info), png_get_image_height(decoder.png, decoder.info));
  if (png_get_bit_depth(decoder.png, decoder.info) == 16 &&
      png_get_color_type(decoder.png, decoder.info) == PNG_COLOR_TYPE_GRAY) {
    fail(Code::kInput, "it is grey with 16 bits; grey, RGB or palette with 8 bits is supported");
  }
  require(set_up_pixels(decoder.png, decoder.info));

  Image image;
  image.height = png_get_image_height(decoder.png, decoder.info);
  image.width = png_get_image_width(decoder.png, decoder.info);
  image.channels = png_get_channels(decoder.png, decoder.info);
  image.pixels.resize(static_cast<std::size_t>(image.height * image.width * image.channels));
  std::vector<png_bytep> rows;
  for (int64_t row = 0; row < image.height; ++row) {
    rows.push_back(image.pixels.data() + row * image.width * image.channels);
  }
  require(read_pixels(decoder.png, rows.data()));
  return image;
}

}  // namespace slipway::infer

#else

namespace slipway::infer {

Image decode_png(std::string_view) {
  fail(Code::kUnavailable, "this slipway-infer was built without libpng; install libpng's headers and build again");
}

}  // namespace slipway::infer

#endif
