// UTF-8 (RFC 3629) to code points and back, and text made safe for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace slipway::infer {

/// Code points of a text. Throws Error(kInput) naming the byte where it is not well-formed UTF-8.
[[nodiscard]] std::u32string decode_utf8(std::string_view text);

/// Bytes of the well-formed sequence that begins at a byte of the text; 0 where none does.
[[nodiscard]] std::size_t sequence_at(std::string_view text, std::size_t at) noexcept;

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// Appends one code point; the caller keeps it below 0x110000 and no surrogate.
void append_utf8(std::string& out, char32_t code);
[[nodiscard]] std::string encode_utf8(std::u32string_view codes);

/// The text for a line of a table or a message: control characters and broken UTF-8 become \xNN, characters that turn
/// the direction of the text \uNNNN.
[[nodiscard]] std::string printable(std::string_view text);

/// Number of code points, which is what a terminal shows of most scripts.
[[nodiscard]] std::size_t display_width(std::string_view text) noexcept;

}  // namespace slipway::infer
