// The way from bytes to an optimised graph: parse, rows, facts, passes, text. Whatever the bytes, the result is a graph
// or an Error; the passes end, and their graph is one that its own check accepts.
#include "fuzz.h"
#include "models.h"
#include "ops/table.h"
#include "passes/infer_facts.h"
#include "passes/pipeline.h"

namespace slipway::fuzz {
namespace {

// A hostile file may state constants of gigabytes; the limit keeps one input of the fuzzer from taking them.
constexpr ParseLimits kLimits{1000, 10'000, 256, 1 << 20};

void load(std::span<const std::byte> bytes) {
  Graph graph = parse(bytes, kLimits);
  if (!is_utf8(graph.text())) report("the text of the graph is not UTF-8");
  resolve_all(graph);
  infer_facts(graph);
  const Graph improved = run_pipeline(std::move(graph));
  improved.check();
  (void)improved.text();
  ++tally.ran;
}

}  // namespace

const Target kTarget{"load", Form::kMessage, 65536, &model_seeds};

}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)slipway::fuzz::reads([&] { slipway::fuzz::load(std::as_bytes(std::span(data, size))); });
  return 0;
}
