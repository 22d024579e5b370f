// Texts to token numbers, as the kind `text` of docs/bundle-format.md says; the twin of slipway.preprocess.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace slipway::infer {

struct TextSpec {
  bool splits_words = false;  ///< one token per word instead of one per character
  std::optional<std::unordered_map<std::string, int64_t>> vocabulary;  ///< none: a token is its code point
  std::size_t vocabulary_size = 0;
  std::unordered_map<char32_t, std::u32string> fold;
  int64_t limit = 128;
  std::optional<int64_t> unknown;
  int64_t pad = 0;
  bool one_hot = false;
  bool lowercase = false;
};

/// The numbers of a text's tokens, at least one. Throws Error(kInput) naming the token that is unknown.
[[nodiscard]] std::vector<int64_t> tokenize(const TextSpec& spec, std::string_view text);

}  // namespace slipway::infer
