// Whole files in and out, with limits. Everything that the program reads from or writes to disk passes here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::infer {

/// Largest input file, image or table that is read.
inline constexpr int64_t kMaxFileBytes = int64_t{1} << 31;

/// The bytes of a file, a pipe or a device. Throws Error(kIo) where it cannot be read, Error(kLimit) above `limit`.
[[nodiscard]] std::string read_file(const std::string& path, int64_t limit = kMaxFileBytes);

/// Writes a file whole or not at all: a temporary one beside it, then rename. Throws Error(kIo).
void write_file(const std::string& path, std::string_view bytes);

}  // namespace slipway::infer
