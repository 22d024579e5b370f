// UTF-8: code points and back, and text that is safe for a terminal.
#include "infer/utf8.h"

#include <algorithm>

#include "fuzz.h"

namespace slipway::fuzz {
namespace {

std::vector<std::string> seeds() {
  return {"plain", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", std::string("\0\x1B[2J\x7F", 6),
          "\xF4\x8F\xBF\xBF\xEF\xBF\xBF"};
}

std::vector<std::string> words() {
  return {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE0\x80\x80", "\xF0\x80\x80\x80", "\xC2\x9B",
          "\xFF",     "\x80"};
}

void check_printable(const std::string& text) {
  if (!infer::is_utf8(text)) report("printable text is not UTF-8");
  const bool is_plain = std::none_of(text.begin(), text.end(), [](char letter) {
    return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F;
  });
  if (!is_plain) report("printable text has control characters");
}

void read(std::string_view text) {
  const bool is_utf8 = infer::is_utf8(text);
  if (is_utf8 != slipway::is_utf8(text)) report("two readers differ on what is UTF-8");
  check_printable(infer::printable(text));
  check_printable(quote(text, 400));
  const bool is_read = reads([&] {
    const std::u32string codes = infer::decode_utf8(text);
    if (infer::encode_utf8(codes) != text) report("a text changes by being decoded and encoded");
    if (infer::display_width(text) != codes.size()) report("a text has not a place for each code point");
  });
  if (is_read != is_utf8) report("the decoder and the check differ on what is UTF-8");
}

}  // namespace

const Target kTarget{"utf8", Form::kText, 512, &seeds, &words};

}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  slipway::fuzz::read(slipway::fuzz::text_of(data, size));
  return 0;
}
