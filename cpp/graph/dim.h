// A dimension that may be a number, a named symbol, or unknown.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace slipway {

class Dim {
 public:
  Dim() = default;                       ///< unknown
  Dim(int64_t value) : value_(value) {}  // NOLINT(google-explicit-constructor): numbers are dimensions
  static Dim symbol(std::string name) {
    Dim dim;
    dim.symbol_ = std::move(name);
    return dim;
  }

  [[nodiscard]] bool is_known() const noexcept { return value_ >= 0; }
  /// Only for is_known().
  [[nodiscard]] int64_t value() const noexcept { return value_; }
  [[nodiscard]] const std::string& symbol() const noexcept { return symbol_; }
  /// True where both surely are the same size: equal numbers, or one symbol.
  [[nodiscard]] bool surely_equals(const Dim& other) const noexcept {
    return is_known() ? value_ == other.value_ : !symbol_.empty() && symbol_ == other.symbol_;
  }
  /// True where both are known alike; two that are unknown need not be of one size.
  [[nodiscard]] bool operator==(const Dim&) const = default;
  [[nodiscard]] std::string text() const {
    return is_known() ? std::to_string(value_) : symbol_.empty() ? "?" : symbol_;
  }

 private:
  int64_t value_ = -1;
  std::string symbol_;
};

using Dims = std::vector<Dim>;

/// "[N, 3, ?]".
[[nodiscard]] std::string text_of(const Dims& dims);

}  // namespace slipway
