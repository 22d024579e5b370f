// Fuzzes the way from bytes to an optimised graph: parse, rows, facts, passes, text. Whatever the bytes, the result is
// a graph or an Error; sanitizers watch the rest.
//
// With -DSLIPWAY_FUZZ=ON (clang) libFuzzer drives it: fuzz_parse -max_len=65536 FOLDER. Without, main() replays the
// files named on the command line, or, without any, changed models of fuzz_driver.h.
#include <cstdint>

#include "base/error.h"
#include "fuzz_driver.h"
#include "ops/table.h"
#include "passes/infer_facts.h"
#include "passes/pipeline.h"

namespace slipway {
namespace {

// A hostile file may state constants of gigabytes; the limit keeps one input of the fuzzer from taking them.
constexpr ParseLimits kLimits{1000, 10'000, 256, 1 << 20};

/// True where the bytes became a graph that the passes could work on.
bool load(std::span<const std::byte> bytes) {
  try {
    Graph graph = parse(bytes, kLimits);
    (void)graph.text();
    resolve_all(graph);
    infer_facts(graph);
    const Graph improved = run_pipeline(std::move(graph));
    (void)improved.text();
    return true;
  } catch (const Error& error) {
    if (error.message().empty() || !is_utf8(error.message())) __builtin_trap();
    return false;
  }
}

}  // namespace
}  // namespace slipway

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)slipway::load(std::as_bytes(std::span(data, size)));
  return 0;
}

#if !defined(SLIPWAY_FUZZ)
int main(int argc, char** argv) { return slipway::check::drive(argc, argv, 100'000, &slipway::load); }
#endif
