// One operator at a time, with attributes, sizes and values at their limits now and then: loaded and run in all ways
// there are (ways.h). Counts which rows of the table have loaded and run.
#include <algorithm>
#include <map>

#include "fuzz.h"
#include "maker.h"
#include "ops/table.h"
#include "ways.h"

namespace slipway::fuzz {
namespace {

std::map<std::string, int64_t, std::less<>> rows_run;

// The rows that the passes leave. Looked up until each has been seen often enough.
void count_rows(std::span<const std::byte> model, const OpMaker& maker) {
  constexpr int64_t kEnough = 3;
  int64_t& count = rows_run[std::string(maker.row)];
  if (count >= kEnough) return;
  if (maker.row != maker.op && Session::read(model, {}).text("passes").find(maker.row) == std::string::npos) return;
  ++count;
}

std::string missing() {
  std::string names;
  for (const OpRow& row : op_table()) {
    const auto found = rows_run.find(row.onnx);
    if (found == rows_run.end() || found->second == 0) names += concat(row.onnx, "\n");
  }
  return names;
}

// An operator alone is held to its row: exact is to the bit, whatever the numbers are. Sums of numbers at their limits
// overflow in one order and not in another.
Closeness closeness_of(const Maker& maker, const OpMaker& chosen, std::span<const std::byte> model) {
  const OpRow& row = *find_row("", chosen.op);
  const bool is_exact = row.tolerance == Tolerance::kExact && row.kind != RowKind::kControl;
  if (is_exact && chosen.row == chosen.op) return Closeness::kBits;
  return maker.has_extremes() ? Closeness::kNone : closeness_of_model(model);
}

void run(std::span<const uint8_t> bytes) {
  Decisions decisions(bytes);
  const OpMaker& chosen = all_makers()[decisions.pick(all_makers().size())];
  constexpr int64_t kOpsets[] = {20, 13, 15, 18, 24, 22};
  Maker maker(decisions, decisions.pick(4) > 0);
  maker.opset = decisions.one_of(kOpsets);
  chosen.make(maker, chosen.op);
  const std::string model = maker.finish({maker.values().back()}).bytes();
  const auto model_bytes = std::as_bytes(std::span(model));
  const auto closeness = [&] { return closeness_of(maker, chosen, model_bytes); };
  const Answer answer = run_ways(model_bytes, maker.inputs(), closeness, salt_of(model_bytes));
  if (answer.has_run()) count_rows(model_bytes, chosen);
}

}  // namespace

const Target kTarget{"op", Form::kDecisions, 512, &random_seeds, nullptr, &missing};

}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  slipway::fuzz::run(std::span(data, size));
  return 0;
}
