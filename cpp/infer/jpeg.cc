// decode_jpeg() of image.h through libjpeg. libjpeg reports errors by longjmp here, so the functions that it may
// leave that way (below setjmp) own nothing.
#include <cstdio>

#include "base/error.h"
#include "infer/image.h"

#ifdef SLIPWAY_HAS_JPEG
#include <csetjmp>
// The two need cstdio before them.
#include <jpeglib.h>
//
#include <jerror.h>

namespace slipway::infer {

namespace {

// A progressive file may ask for any number of scans over all pixels; real ones have about ten.
constexpr int kMaxScans = 200;

/// What libjpeg is given as its error manager; `base` comes first, so that a pointer to it is a pointer to this.
struct Errors {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave(j_common_ptr info) {
  auto* errors = reinterpret_cast<Errors*>(info->err);
  info->err->format_message(info, errors->message);
  std::longjmp(errors->jump, 1);
}

// A warning that pixels are missing or made up is an error; others (stray bytes between markers) are common.
void on_message(j_common_ptr info, int level) {
  const int code = info->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE)) leave(info);
}

void on_progress(j_common_ptr info) {
  auto* decoder = reinterpret_cast<j_decompress_ptr>(info);
  if (decoder->input_scan_number <= kMaxScans) return;
  auto* errors = reinterpret_cast<Errors*>(info->err);
  std::snprintf(errors->message, sizeof errors->message, "more than %d scans", kMaxScans);
  std::longjmp(errors->jump, 1);
}

struct JpegDecoder {
  Errors errors = {};
  jpeg_progress_mgr progress = {};
  jpeg_decompress_struct info = {};

  JpegDecoder() {
    info.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = leave;
    errors.base.emit_message = on_message;
    progress.progress_monitor = on_progress;
  }
  ~JpegDecoder() { jpeg_destroy_decompress(&info); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;
};

bool read_header(JpegDecoder* decoder, const unsigned char* data, unsigned long count) {
  if (setjmp(decoder->errors.jump) != 0) return false;
  jpeg_create_decompress(&decoder->info);
  decoder->info.progress = &decoder->progress;
  jpeg_mem_src(&decoder->info, data, count);
  jpeg_read_header(&decoder->info, TRUE);
  return true;
}

bool start(JpegDecoder* decoder) {
  if (setjmp(decoder->errors.jump) != 0) return false;
  decoder->info.out_color_space = decoder->info.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&decoder->info);
  return true;
}

bool read_pixels(JpegDecoder* decoder, uint8_t* to, int64_t stride) {
  if (setjmp(decoder->errors.jump) != 0) return false;
  while (decoder->info.output_scanline < decoder->info.output_height) {
    JSAMPROW row = to + static_cast<int64_t>(decoder->info.output_scanline) * stride;
    jpeg_read_scanlines(&decoder->info, &row, 1);
  }
  jpeg_finish_decompress(&decoder->info);
  return true;
}

}  // namespace

Image decode_jpeg(std::string_view bytes) {
  JpegDecoder decoder;
  const auto require = [&](bool done) {
    if (!done) fail(Code::kInput, "it is a broken JPEG: ", decoder.errors.message);
  };
  require(read_header(&decoder, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  check_pixels(decoder.info.image_width, decoder.info.image_height);
  if (decoder.info.num_components != 1 && decoder.info.num_components != 3) {
    fail(Code::kInput, "it has ", decoder.info.num_components, " channels (CMYK); grey or RGB is supported");
  }
  require(start(&decoder));
  Image image;
  image.height = decoder.info.output_height;
  image.width = decoder.info.output_width;
  image.channels = decoder.info.output_components;
  image.pixels.resize(static_cast<std::size_t>(image.height * image.width * image.channels));
  require(read_pixels(&decoder, image.pixels.data(), image.width * image.channels));
  return image;
}

}  // namespace slipway::infer

#else

namespace slipway::infer {

Image decode_jpeg(std::string_view) {
  fail(Code::kUnavailable, "this slipway-infer was built without libjpeg; install libjpeg's headers and build again");
}

}  // namespace slipway::infer

#endif
