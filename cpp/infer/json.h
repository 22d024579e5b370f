// JSON (RFC 8259): a strict reader for metadata and goldens, and the pieces of a writer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/view.h"

namespace slipway::infer {

/// A JSON value. Objects keep their order; a key that is given twice is refused by the reader.
struct Json {
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  std::variant<std::nullptr_t, bool, double, std::string, Array, Object> value = nullptr;

  [[nodiscard]] bool is_null() const noexcept { return std::holds_alternative<std::nullptr_t>(value); }
  /// The member of an object, or null where this is no object or has no such member.
  [[nodiscard]] const Json* find(std::string_view key) const noexcept;
  /// The value as the asked type; Error(kModel) naming `what` where it is another.
  [[nodiscard]] const std::string& string(std::string_view what) const;
  [[nodiscard]] const Array& array(std::string_view what) const;
  [[nodiscard]] const Object& object(std::string_view what) const;
  [[nodiscard]] bool boolean(std::string_view what) const;
  [[nodiscard]] double number(std::string_view what) const;
  /// A whole number of at most 2^53 in size.
  [[nodiscard]] int64_t integer(std::string_view what) const;
};

/// Reads one value: at most 16 MiB, 64 levels, 4 million values. Throws Error(kModel) with the byte at fault.
[[nodiscard]] Json parse_json(std::string_view text);

/// Bytes that are not UTF-8, as names of files may hold, become \udcNN, which Python has for them (PEP 383).
void append_json(std::string& out, std::string_view text);
/// The shortest text that reads back as the same number; what JSON cannot say (NaN, infinities) becomes null.
void append_json(std::string& out, double number);
/// Nested lists, a plain number for a scalar.
void append_json(std::string& out, const TensorView& tensor);

/// The shortest text of a number that reads back as the same float or double: "0.1", "nan", "-inf".
[[nodiscard]] std::string number_text(float number);
[[nodiscard]] std::string number_text(double number);
/// One element of a tensor as text.
[[nodiscard]] std::string element_text(const TensorView& tensor, int64_t index);

}  // namespace slipway::infer
