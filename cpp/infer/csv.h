// CSV (RFC 4180) with commas, and cells as numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::infer {

/// Largest table and longest line of one: cells in memory take many times their text.
inline constexpr std::size_t kMaxTableBytes = 64 << 20;
inline constexpr std::size_t kMaxLineBytes = 1 << 20;

struct CsvRow {
  int64_t line = 0;  ///< of the row's first character, counted from 1
  std::vector<std::string> cells;
};

/// Splits a text into rows; empty lines are left out, a byte order mark is skipped. Throws Error(kInput) for a quote
/// that is not closed or stands before more of its cell, and for text that is not UTF-8; Error(kLimit) above the
/// limits. `first_line` is the number of the text's first line.
[[nodiscard]] std::vector<CsvRow> parse_csv(std::string_view text, int64_t first_line = 1);

/// True where the cells of a table's first row without surrounding space are the column names, so that it is a header.
/// Throws Error(kInput) where they are others: where none of them is a number.
[[nodiscard]] bool is_header(const CsvRow& row, const std::vector<std::string>& columns);

/// A row as numbers. Throws Error(kInput) naming line and cell.
[[nodiscard]] std::vector<double> numbers_of(const CsvRow& row);

}  // namespace slipway::infer
