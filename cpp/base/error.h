// Errors of the engine: one class, one enum of codes, and concat() for messages.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace slipway {

/// Why something was refused; the numbers are those of slipway/c.h, where 0 is success. Mirrored by the subclasses in
/// python/slipway/errors.py.
enum class Code {
  kModel = 1,    ///< the file is malformed or breaks a rule of ONNX
  kUnsupported,  ///< valid ONNX that this engine does not have
  kInput,        ///< an input's name, type or shape does not fit the model
  kLimit,        ///< a size is above a limit
  kFault,        ///< a run met a value that the operator forbids
  kUnavailable,  ///< a device, engine or library is not there
  kDamaged,      ///< a bundle's checksum or structure does not hold
  kIo,           ///< a file cannot be read or written
  kUsage,        ///< the call itself is wrong
};

/// How concat() writes one part: text as it is, numbers in decimal, real ones with six significant digits.
void append_text(std::string& out, std::string_view text);
void append_text(std::string& out, char character);
void append_text(std::string& out, bool number);
void append_text(std::string& out, int64_t number);
void append_text(std::string& out, uint64_t number);
void append_text(std::string& out, double number);

template <typename Part>
void append_part(std::string& out, const Part& part) {
  if constexpr (std::is_convertible_v<const Part&, std::string_view>) {
    append_text(out, std::string_view(part));
  } else if constexpr (std::is_same_v<Part, char> || std::is_same_v<Part, bool>) {
    append_text(out, part);
  } else if constexpr (std::is_floating_point_v<Part>) {
    append_text(out, static_cast<double>(part));
  } else if constexpr (std::is_signed_v<Part>) {
    append_text(out, int64_t{part});
  } else {
    static_assert(std::is_unsigned_v<Part>, "a part is text or a number");
    append_text(out, uint64_t{part});
  }
}

/// Writes its arguments behind `out` as text. Without a stream: those swallow it when memory ends.
template <typename... Parts>
void append(std::string& out, const Parts&... parts) {
  (append_part(out, parts), ...);
}

/// Bytes of a part that is text; numbers are short.
template <typename Part>
[[nodiscard]] std::size_t length_of(const Part& part) noexcept {
  if constexpr (std::is_convertible_v<const Part&, std::string_view>) return std::string_view(part).size();
  return 0;
}

/// Joins its arguments as text: concat("got ", 3) == "got 3".
template <typename... Parts>
[[nodiscard]] std::string concat(const Parts&... parts) {
  std::string out;
  out.reserve((length_of(parts) + ... + 0));
  append(out, parts...);
  return out;
}

/// The only exception that the engine throws on purpose.
class Error final : public std::exception {
 public:
  Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  [[nodiscard]] Code code() const noexcept { return code_; }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

  /// The same error with a place before its message: `Conv "stem": ...`.
  [[nodiscard]] Error at(std::string_view place) const { return Error(code_, concat(place, ": ", message_)); }

 private:
  Code code_;
  std::string message_;
};

/// Throws Error(code, concat(parts...)).
template <typename... Parts>
[[noreturn]] void fail(Code code, const Parts&... parts) {
  throw Error(code, concat(parts...));
}

/// True where every byte belongs to well-formed UTF-8 (RFC 3629).
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// Text that may hold anything, made safe to print: control characters, quotes and broken UTF-8 become
/// \xNN, and at most `limit` bytes are kept.
[[nodiscard]] std::string quote(std::string_view text, std::size_t limit = 80);

}  // namespace slipway
