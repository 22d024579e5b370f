#include "infer/arguments.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string_view>

#include "base/error.h"

namespace slipway::infer {

namespace {

enum class Takes { kNothing, kOne, kMany };

struct Option {
  std::string_view name;
  Takes takes;
  std::string_view value;  ///< as --help shows it
  std::string_view help;
  void (*set)(Arguments&, const std::string&);
};

int64_t number_of(std::string_view option, const std::string& text, int64_t low, int64_t high) {
  int64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = result.ec == std::errc() && result.ptr == text.data() + text.size();
  if (!is_whole || number < low || number > high) {
    fail(Code::kUsage, option, ": got ", quote(text), ", expected a number from ", low, " to ", high);
  }
  return number;
}

// "1048576", "512M", "4G": with powers of 1024.
int64_t size_of(std::string_view option, const std::string& text) {
  constexpr std::string_view kUnits = "KMG";
  const std::size_t unit = text.empty() ? std::string_view::npos : kUnits.find(text.back());
  const int shift = unit == std::string_view::npos ? 0 : 10 * (static_cast<int>(unit) + 1);
  int64_t number = 0;
  const char* end = text.data() + text.size() - (shift > 0 ? 1 : 0);
  const auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end || number < 1 || number > (INT64_MAX >> shift)) {
    fail(Code::kUsage, option, ": got ", quote(text), ", expected bytes, as in 1048576, 512M or 4G");
  }
  return number << shift;
}

// "x:1x1x28x28,y:2"; a name may hold colons, so the last one counts.
void add_shapes(Arguments& arguments, const std::string& text) {
  constexpr std::string_view kForm = ", expected NAME:1x28x28[,NAME:...]";
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string_view one = std::string_view(text).substr(at, comma - at);
    at = comma + 1;
    const std::size_t colon = one.rfind(':');
    if (colon == std::string_view::npos || colon == 0) fail(Code::kUsage, "--shapes: got ", quote(text), kForm);
    std::vector<int64_t> sizes;
    for (std::size_t begin = colon + 1; begin <= one.size();) {
      const std::size_t end = std::min(one.find('x', begin), one.size());
      sizes.push_back(number_of("--shapes", std::string(one.substr(begin, end - begin)), 0, int64_t{1} << 40));
      begin = end + 1;
    }
    if (sizes.size() > kMaxRank) fail(Code::kUsage, "--shapes: at most ", kMaxRank, " sizes are supported");
    if (!arguments.shapes.emplace(std::string(one.substr(0, colon)), Shape(sizes)).second) {
      fail(Code::kUsage, "--shapes: ", quote(one.substr(0, colon)), " is given twice");
    }
  }
}

void set_engine(Arguments& arguments, const std::string& text) {
  if (text != "native" && text != "onnxruntime") {
    fail(Code::kUsage, "--engine: got ", quote(text), ", expected native or onnxruntime");
  }
  arguments.engine.kind = text == "native" ? EngineKind::kNative : EngineKind::kOnnxruntime;
}

void set_device(Arguments& arguments, const std::string& text) {
  const bool is_numbered = text.starts_with("cuda:") && text.size() > 5 && text.size() < 9 &&
                           text.find_first_not_of("0123456789", 5) == std::string::npos;
  if (text != "cpu" && text != "cuda" && !is_numbered) {
    fail(Code::kUsage, "--device: got ", quote(text), ", expected cpu, cuda or cuda:N");
  }
  arguments.engine.device = text;
}

void set_precision(Arguments& arguments, const std::string& text) {
  if (text != "fp32" && text != "bf16" && text != "int8" && text != "tf32") {
    fail(Code::kUsage, "--precision: got ", quote(text), ", expected fp32, bf16, int8 or tf32");
  }
  arguments.engine.precision = text;
}

constexpr Option kOptions[] = {
    {"--input", Takes::kMany, "[NAME=]FILE.npy...",
     "arrays as they are; NAME is needed where a model has several inputs",
     [](Arguments& a, const std::string& v) { a.inputs.push_back(v); }},
    {"--image", Takes::kMany, "FILE...", "PNG or JPEG files",
     [](Arguments& a, const std::string& v) { a.images.push_back(v); }},
    {"--text", Takes::kMany, "STRING...", "texts; of a model that takes several, in the inputs' order",
     [](Arguments& a, const std::string& v) { a.texts.push_back(v); }},
    {"--csv", Takes::kMany, "FILE...", "tables of numbers, with or without a header",
     [](Arguments& a, const std::string& v) { a.tables.push_back(v); }},
    {"--random", Takes::kNothing, "", "inputs drawn at random, see --seed and --shapes",
     [](Arguments& a, const std::string&) { a.random = true; }},
    {"--seed", Takes::kOne, "N", "seed of --random [0]",
     [](Arguments& a, const std::string& v) { a.seed = static_cast<uint64_t>(number_of("--seed", v, 0, INT64_MAX)); }},
    {"--shapes", Takes::kOne, "NAME:1x28x28,...", "shapes of --random; what varies is otherwise 1, time 16",
     add_shapes},
    {"--engine", Takes::kOne, "native|onnxruntime", "what computes [native]", set_engine},
    {"--ort-library", Takes::kOne, "FILE", "onnxruntime's shared library [SLIPWAY_ORT_LIBRARY, then a search]",
     [](Arguments& a, const std::string& v) { a.engine.ort_library = v; }},
    {"--device", Takes::kOne, "cpu|cuda[:N]", "where to compute [cpu]", set_device},
    {"--precision", Takes::kOne, "fp32|bf16|int8|tf32",
     "bf16, int8: of the weights; tf32: of products on a CUDA device; all less exact, some faster [fp32]",
     set_precision},
    {"--threads", Takes::kOne, "N", "threads that compute [1]",
     [](Arguments& a, const std::string& v) {
       a.engine.threads = static_cast<int>(number_of("--threads", v, 1, 256));
     }},
    {"--max-memory", Takes::kOne, "SIZE", "bytes that the model may take, 512M or 4G for example [the machine's]",
     [](Arguments& a, const std::string& v) { a.engine.max_memory = size_of("--max-memory", v); }},
    {"--max-steps", Takes::kOne, "N", "steps that a loop of the model may take [no bound]",
     [](Arguments& a, const std::string& v) { a.engine.max_steps = number_of("--max-steps", v, 0, INT64_MAX); }},
    {"--top", Takes::kOne, "K", "labels shown per input [1]",
     [](Arguments& a, const std::string& v) { a.top = static_cast<int>(number_of("--top", v, 1, 1'000'000)); }},
    {"--json", Takes::kNothing, "", "one JSON object per input and line",
     [](Arguments& a, const std::string&) { a.json = true; }},
    {"--output", Takes::kOne, "FILE.npy", "write the model's only output there",
     [](Arguments& a, const std::string& v) { a.output = v; }},
    {"--output-dir", Takes::kOne, "DIR", "write every output there, one .npy each",
     [](Arguments& a, const std::string& v) { a.output_folder = v; }},
    {"--selftest", Takes::kNothing, "", "check a bundle's checksums, then replay its goldens",
     [](Arguments& a, const std::string&) { a.action = Action::kSelftest; }},
    {"--iterations", Takes::kOne, "N", "run one batch N times and show percentiles of the latency",
     [](Arguments& a, const std::string& v) {
       a.iterations = static_cast<int>(number_of("--iterations", v, 1, 10'000'000));
     }},
    {"--warmup", Takes::kOne, "N", "runs before measuring [10]",
     [](Arguments& a, const std::string& v) { a.warmup = static_cast<int>(number_of("--warmup", v, 0, 10'000'000)); }},
    {"--version", Takes::kNothing, "", "show versions",
     [](Arguments& a, const std::string&) { a.action = Action::kVersion; }},
    {"--help", Takes::kNothing, "", "show this text",
     [](Arguments& a, const std::string&) { a.action = Action::kHelp; }},
};

const Option& option_named(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kOptions), std::end(kOptions), [&](const Option& o) { return o.name == name; });
  if (found == std::end(kOptions)) {
    fail(Code::kUsage, "there is no option ", quote(name), "; slipway-infer --help lists them");
  }
  return *found;
}

bool is_option(const std::string& text) { return text.starts_with("--") || text == "-h"; }

// Reads the option at the front of `rest` with its values; returns how many arguments it took.
std::size_t take_option(Arguments& arguments, std::span<const std::string> rest) {
  const std::string text = rest[0] == "-h" ? "--help" : rest[0];
  const std::size_t equals = text.find('=');
  const Option& option = option_named(std::string_view(text).substr(0, equals));
  if (option.takes == Takes::kNothing) {
    if (equals != std::string::npos) fail(Code::kUsage, option.name, " takes no value");
    option.set(arguments, "");
    return 1;
  }
  if (equals != std::string::npos) {
    option.set(arguments, text.substr(equals + 1));
    return 1;
  }
  std::size_t used = 1;
  while (used < rest.size() && !is_option(rest[used]) && (used == 1 || option.takes == Takes::kMany)) {
    option.set(arguments, rest[used++]);
  }
  if (used == 1) fail(Code::kUsage, option.name, " needs a value: ", option.name, " ", option.value);
  return used;
}

void check(const Arguments& arguments) {
  if (arguments.action == Action::kHelp || arguments.action == Action::kVersion) return;
  if (arguments.model.empty()) {
    fail(Code::kUsage, "no model; give a bundle or an ONNX file first: slipway-infer MODEL --text ...");
  }
  const bool has_data =
      !arguments.inputs.empty() || !arguments.images.empty() || !arguments.texts.empty() || !arguments.tables.empty();
  if (arguments.random && has_data) fail(Code::kUsage, "--random and inputs exclude each other");
  if (!arguments.shapes.empty() && has_data) fail(Code::kUsage, "--shapes goes with --random or --iterations alone");
  const bool is_selftest = arguments.action == Action::kSelftest;
  if (is_selftest && (arguments.has_source() || !arguments.shapes.empty())) {
    fail(Code::kUsage, "--selftest takes its inputs from the bundle");
  }
  if (is_selftest && arguments.iterations > 0) fail(Code::kUsage, "--selftest and --iterations exclude each other");
  if (!arguments.output.empty() && !arguments.output_folder.empty()) {
    fail(Code::kUsage, "--output and --output-dir exclude each other");
  }
  if ((is_selftest || arguments.iterations > 0) && (!arguments.output.empty() || !arguments.output_folder.empty())) {
    fail(Code::kUsage, "--output and --output-dir go with a prediction: ", is_selftest ? "--selftest" : "--iterations",
         " writes no outputs");
  }
}

}  // namespace

Arguments parse_arguments(const std::vector<std::string>& texts) {
  Arguments arguments;
  const std::span<const std::string> all(texts);
  bool only_models = false;
  for (std::size_t at = 0; at < all.size();) {
    if (!only_models && all[at] == "--") {
      only_models = true;
      ++at;
    } else if (!only_models && is_option(all[at])) {
      at += take_option(arguments, all.subspan(at));
    } else {
      if (!arguments.model.empty()) fail(Code::kUsage, "got a second model, ", quote(all[at]));
      if (all[at].empty()) fail(Code::kUsage, "the model's name is empty");
      arguments.model = all[at++];
    }
  }
  check(arguments);
  return arguments;
}

std::string usage() {
  std::string text =
      "Usage: slipway-infer MODEL [OPTION...]\n"
      "\n"
      "Runs a bundle folder or an ONNX file. Raw input becomes tensors as the model's own metadata says; without an\n"
      "input option it is read from standard input, one text, table row or image file per line; several texts of one "
      "item\n"
      "have tabs between them.\n"
      "\n"
      "Options:\n";
  for (const Option& option : kOptions) {
    std::string left = concat("  ", option.name, option.value.empty() ? "" : " ", option.value);
    left.resize(std::max<std::size_t>(left.size() + 1, 32), ' ');
    text += concat(left, option.help, "\n");
  }
  return text +
         "\n"
         "Examples:\n"
         "  slipway-infer artifacts/names-gru --text Satoshi Angela --top 3\n"
         "  slipway-infer artifacts/mnist-cnn --image digit.png --json\n"
         "  cat names.txt | slipway-infer artifacts/names-gru\n"
         "  slipway-infer artifacts/names-gru --selftest\n"
         "  slipway-infer model.onnx --random --shapes x:16x1x28x28 --iterations 100\n"
         "\n"
         "Exit codes: 0 ok, 1 error, 2 usage, 3 outputs differ beyond tolerance, 4 engine or device not available,\n"
         "6 checksum or bundle damaged, 130 interrupted.\n";
}

}  // namespace slipway::infer
