// What a fuzz target is to the programs that drive it: its inputs to begin with, and what it says of each input.
//
// A target is one file <name>.cc. It defines kTarget and LLVMFuzzerTestOneInput, which returns where the input was
// read or refused in words, and calls report() where that was not so; a crash is found by the sanitizers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::fuzz {

/// What the bytes of a target are, which decides how they are changed.
enum class Form {
  kBytes,     ///< a binary file
  kText,      ///< lines and words
  kMessage,   ///< protobuf
  kDecisions  ///< a stream of decisions (decisions.h); nothing is to be kept of it
};

struct Target {
  const char* name;
  Form form;
  std::size_t max_bytes;
  std::vector<std::string> (*seeds)();
  /// Words that mean something to the target; may be null.
  std::vector<std::string> (*words)() = nullptr;
  /// What of the target no input has reached yet, a name a line; null where there is nothing to count.
  std::string (*missing)() = nullptr;
  /// More than 8 MB may be taken at once: an image may have 64 million pixels.
  bool takes_much = false;
};

/// Defined by the target's file.
extern const Target kTarget;

/// What became of the inputs: read (a model loaded), and run to the end.
struct Tally {
  int64_t read = 0;
  int64_t ran = 0;
};
inline Tally tally;

/// Says what is wrong and aborts, so that the driver keeps the input.
[[noreturn]] void report(std::string_view what);

/// Reports an error whose message is empty, not UTF-8, or not fit for a terminal.
void check_message(const Error& error);

/// Calls read(); false where it threw an Error, whose message is checked.
template <typename Read>
bool succeeds(const Read& read) {
  try {
    read();
    return true;
  } catch (const Error& error) {
    check_message(error);
    return false;
  }
}

/// The same of the input as a whole, which is counted.
template <typename Read>
bool reads(const Read& read) {
  const bool is_read = succeeds(read);
  tally.read += is_read ? 1 : 0;
  return is_read;
}

/// Bytes that nothing depends on but their number: seeds of targets that read decisions.
[[nodiscard]] std::vector<std::string> random_seeds();

[[nodiscard]] inline std::string_view text_of(const uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace slipway::fuzz
