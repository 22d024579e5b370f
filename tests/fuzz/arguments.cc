// The command line of slipway-infer, one argument a line.
#include "infer/arguments.h"

#include "fuzz.h"

namespace slipway::fuzz {
namespace {

std::vector<std::string> seeds() {
  return {"model.onnx\n--random\n--shapes\nx:16x1x28x28,y:2\n--iterations\n100\n--warmup=0",
          "bundle\n--input\nx=a.npy\ny=b.npy\n--engine\nonnxruntime\n--output-dir\nout\n--threads\n2",
          "bundle\n--text\nA\nB\n--top\n3\n--json\n--device\ncuda:1\n--precision=bf16", "--help", "--selftest\n--\n-x"};
}

// The options are those that the program itself lists.
std::vector<std::string> words() {
  std::vector<std::string> all = {"\n", "=", "--", "x:", ",", "1x", "native"};
  const std::string text = infer::usage();
  for (std::size_t at = text.find("--"); at != std::string::npos; at = text.find("--", at + 2)) {
    all.push_back(text.substr(at, text.find_first_of(" ,;\n", at) - at));
  }
  return all;
}

void read(std::string_view text) {
  std::vector<std::string> arguments;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    arguments.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  const infer::Arguments all = infer::parse_arguments(arguments);
  if (all.model.empty() && all.action != infer::Action::kHelp && all.action != infer::Action::kVersion) {
    report("no model, and no complaint");
  }
  const auto is_in = [](int64_t number, int64_t low, int64_t high) { return number >= low && number <= high; };
  if (!is_in(all.engine.threads, 1, 256) || !is_in(all.top, 1, 1'000'000))
    report("a number outside its range is taken");
  for (const auto& [name, shape] : all.shapes) {
    for (const int64_t dim : shape.sizes()) {
      if (dim < 0) report("a shape has a negative size");
    }
  }
}

}  // namespace

const Target kTarget{"arguments", Form::kText, 2048, &seeds, &words};

}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)slipway::fuzz::reads([&] { slipway::fuzz::read(slipway::fuzz::text_of(data, size)); });
  return 0;
}
