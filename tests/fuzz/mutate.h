// Changes of inputs: of bytes, of words, and of the fields of protobuf messages.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.h"

namespace slipway::fuzz {

class Mutator {
 public:
  /// `words` are put in and over what is there.
  Mutator(const Target& target, std::vector<std::string> words, uint64_t seed);

  /// One to four changes of `bytes`, at most kTarget.max_bytes long; parts may come from `other`.
  [[nodiscard]] std::string changed(std::string bytes, std::string_view other);

  /// A number below `count`, which is above zero.
  [[nodiscard]] std::size_t pick(std::size_t count);

 private:
  void change_bytes(std::string& bytes, std::string_view other);
  void change_message(std::string& bytes, std::string_view other, int depth);

  const Target& target_;
  std::vector<std::string> words_;
  std::mt19937_64 random_;
};

/// Names of operators and of all other words of the target, and numbers at the limits of their types.
[[nodiscard]] std::vector<std::string> words_of(const Target& target);

/// Adds the words of a libFuzzer dictionary: lines of "text" with \xNN escapes. False where the file cannot be read.
[[nodiscard]] bool add_dictionary(const std::string& file, std::vector<std::string>& words);

}  // namespace slipway::fuzz
