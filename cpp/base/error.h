// Errors of the engine: one class, one enum of codes, and concat() for messages.
#pragma once

#include <exception>
#include <sstream>
#include <string>
#include <string_view>
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

/// Joins its arguments as text: concat("got ", 3) == "got 3".
template <typename... Parts>
[[nodiscard]] std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
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
