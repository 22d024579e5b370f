// Tables: rows in order of their lines, cells that are numbers or refused.
#include "infer/csv.h"

#include "fuzz.h"

namespace slipway::fuzz {
namespace {

std::vector<std::string> seeds() {
  return {"a,b,c\n1,2,3\n4.5,-6e7,nan\n", "\xEF\xBB\xBF\"x\"\"y\",\"two\nlines\"\r\n1 , 2\r\n", "1\n\n\n2\n"};
}

std::vector<std::string> words() { return {",", "\"", "\"\"", "\n", "\r\n", "\r", "inf", "1e308", "0x1p3", ";", "\t"}; }

void read(std::string_view text) {
  int64_t line = 0;
  for (const infer::CsvRow& row : infer::parse_csv(text)) {
    if (row.line <= line) report("rows are not in order");
    if (row.cells.empty()) report("a row has no cells");
    line = row.line;
    (void)succeeds([&] { (void)infer::is_header(row, {"a", "b", "c"}); });
    const bool is_numbers = succeeds([&] {
      if (infer::numbers_of(row).size() != row.cells.size()) report("a row has not a number for each cell");
    });
    if (is_numbers) ++tally.ran;
  }
}

}  // namespace

const Target kTarget{"csv", Form::kText, 4096, &seeds, &words};

}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)slipway::fuzz::reads([&] { slipway::fuzz::read(slipway::fuzz::text_of(data, size)); });
  return 0;
}
