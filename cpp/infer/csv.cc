#include "infer/csv.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/error.h"
#include "infer/utf8.h"

namespace slipway::infer {

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\r\v\f";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// True for decimal numbers, "inf", "infinity" and "nan" with an optional sign: what Python's float() reads too.
bool is_number(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  std::string word;
  for (const char c : text.substr(at)) word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (word == "inf" || word == "infinity" || word == "nan") return true;
  const auto digits = [&] {
    const std::size_t first = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - first;
  };
  std::size_t count = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    count += digits();
  }
  if (count == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += concat(text.empty() ? "" : ", ", word);
  return text;
}

/// Reads one row from `at` on; rows end at \n, \r or \r\n outside quotes.
CsvRow read_row(std::string_view text, std::size_t& at, int64_t& line) {
  CsvRow row{line, {""}};
  bool is_quoted = false;
  std::size_t line_begin = at;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (at - line_begin > kMaxLineBytes) {
      fail(Code::kLimit, "line ", line, " is longer than ", kMaxLineBytes, " bytes");
    }
    if (c == '\n') line_begin = at;
    if (c == '\n') ++line;
    if (is_quoted) {
      const char next = at + 1 < text.size() ? text[at + 1] : '\n';
      const bool is_doubled = c == '"' && next == '"';
      if (c == '"' && !is_doubled) {
        if (next != ',' && next != '\n' && next != '\r') {
          fail(Code::kInput, "line ", line, ": a closing quote is followed by ", quote({&next, 1}),
               ", expected a comma");
        }
        is_quoted = false;
        continue;
      }
      if (is_doubled) ++at;
      row.cells.back() += c;
    } else if (c == '"' && row.cells.back().empty()) {
      is_quoted = true;
    } else if (c == ',') {
      row.cells.emplace_back();
    } else if (c == '\n' || c == '\r') {
      ++at;
      if (c == '\r' && (at >= text.size() || text[at] != '\n')) ++line;
      if (c == '\r' && at < text.size() && text[at] == '\n') ++at, ++line;
      return row;
    } else {
      row.cells.back() += c;
    }
  }
  if (is_quoted) fail(Code::kInput, "line ", row.line, ": a quote is not closed");
  return row;
}

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, int64_t first_line) {
  if (text.size() > kMaxTableBytes) {
    fail(Code::kLimit, "it has ", text.size(), " bytes, the limit of a table is ", kMaxTableBytes);
  }
  if (!is_utf8(text)) fail(Code::kInput, "it is not valid UTF-8");
  std::size_t at = text.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0;
  std::vector<CsvRow> rows;
  int64_t line = first_line;
  while (at < text.size()) {
    CsvRow row = read_row(text, at, line);
    if (row.cells.size() > 1 || !row.cells[0].empty()) rows.push_back(std::move(row));
  }
  return rows;
}

bool is_header(const CsvRow& row, const std::vector<std::string>& columns) {
  std::vector<std::string> cells;
  for (const std::string& cell : row.cells) cells.emplace_back(trimmed(cell));
  if (cells == columns) return true;
  if (std::any_of(cells.begin(), cells.end(), is_number)) return false;
  const std::string expected =
      columns.empty() ? "numbers alone" : concat("the model's columns, ", joined(columns), ", in this order");
  fail(Code::kInput, "line ", row.line, ": the header is ", quote(joined(cells), 200), ", expected ", expected);
}

std::vector<double> numbers_of(const CsvRow& row) {
  std::vector<double> numbers;
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    const std::string cell(trimmed(row.cells[i]));
    if (!is_number(cell)) {
      fail(Code::kInput, "line ", row.line, ", cell ", i + 1, ": ", quote(row.cells[i]), " is not a number");
    }
    // strtod, unlike from_chars, gives infinity, zero or a denormal for what a double cannot hold, as Python does.
    numbers.push_back(std::strtod(cell.c_str(), nullptr));
  }
  return numbers;
}

}  // namespace slipway::infer
