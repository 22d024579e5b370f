#include "infer/text.h"

#include <cstdio>

#include "base/error.h"
#include "infer/utf8.h"

namespace slipway::infer {

namespace {

std::u32string fold(const TextSpec& spec, const std::u32string& text) {
  std::u32string folded;
  for (const char32_t code : text) {
    const auto found = spec.fold.find(code);
    if (found != spec.fold.end()) {
      folded += found->second;
    } else {
      folded += code;
    }
  }
  if (spec.lowercase) {
    for (char32_t& code : folded) code += code >= U'A' && code <= U'Z' ? 32 : 0;
  }
  return folded;
}

std::vector<std::u32string> units_of(const TextSpec& spec, const std::u32string& text) {
  std::vector<std::u32string> units;
  if (!spec.splits_words) {
    for (const char32_t code : text) units.emplace_back(1, code);
    return units;
  }
  constexpr std::u32string_view kSpace = U" \t\n\r\v\f";
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::u32string::npos;) {
    const std::size_t end = text.find_first_of(kSpace, at);
    units.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kSpace, end);
  }
  return units;
}

int64_t number_of(const TextSpec& spec, const std::u32string& unit) {
  if (spec.vocabulary) {
    const auto found = spec.vocabulary->find(encode_utf8(unit));
    return found == spec.vocabulary->end() ? -1 : found->second;
  }
  return spec.splits_words ? -1 : static_cast<int64_t>(unit[0]);
}

[[noreturn]] void refuse_token(const TextSpec& spec, std::string_view text, std::size_t place,
                               const std::u32string& unit) {
  char code[24] = "";
  if (!spec.splits_words) std::snprintf(code, sizeof code, " (U+%04X)", static_cast<unsigned>(unit[0]));
  const std::string accepted = spec.vocabulary ? concat("the ", spec.vocabulary_size, " entries of the vocabulary")
                                               : concat("code points below ", spec.limit);
  const std::string folds =
      spec.fold.empty() ? "" : concat(", and ", spec.fold.size(), " characters that are folded to those");
  fail(Code::kInput, "text ", quote(text), ": ", spec.splits_words ? "word " : "character ", quote(encode_utf8(unit)),
       code, " at place ", place + 1, " is unknown; accepted are ", accepted, folds);
}

}  // namespace

std::vector<int64_t> tokenize(const TextSpec& spec, std::string_view text) {
  const std::vector<std::u32string> units = units_of(spec, fold(spec, decode_utf8(text)));
  if (units.empty()) {
    fail(Code::kInput, "the text ", quote(text), " is empty; give at least one ",
         spec.splits_words ? "word" : "character");
  }
  std::vector<int64_t> numbers;
  numbers.reserve(units.size());
  for (std::size_t place = 0; place < units.size(); ++place) {
    int64_t number = number_of(spec, units[place]);
    if (number < 0 || number >= spec.limit) {
      if (!spec.unknown) refuse_token(spec, text, place, units[place]);
      number = *spec.unknown;
    }
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace slipway::infer
