// Whole files in and out, with limits. Everything that the program reads from or writes to disk passes here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::infer {

/// Largest input file, image or table that is read.
inline constexpr int64_t kMaxFileBytes = int64_t{1} << 31;

/// The bytes of a file, or of a pipe that somebody writes to. Throws Error(kIo) where it cannot be read, Error(kLimit)
/// above `limit`.
[[nodiscard]] std::string read_file(const std::string& path, int64_t limit = kMaxFileBytes);

/// Writes a file whole or not at all: a temporary one beside it, then rename; what a link leads to is replaced, a
/// device or pipe is written to. Throws Error(kIo).
void write_file(const std::string& given, std::string_view bytes);

}  // namespace slipway::infer
