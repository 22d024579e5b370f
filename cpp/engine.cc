// The chain of stages: bytes -> graph -> passes -> plan -> run. See docs/decisions for why each is a value.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/cpu.h"
#include "exec/runner.h"
#include "ops/single.h"
#include "ops/table.h"
#include "parse/parse.h"
#include "passes/infer_facts.h"
#include "slipway/slipway.h"

namespace slipway {

struct Session::State {
  SessionOptions options;
  std::vector<PortInfo> inputs;
  std::vector<PortInfo> outputs;
  std::string onnx_text;
  std::string graph_text;
  std::string passes_text;
  std::unique_ptr<Runner> runner;
};

namespace {

constexpr int kMaxThreads = 256;

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) fail(Code::kIo, "cannot read ", quoted(path.string(), 400), ": ", error.message());
  std::ifstream in(path, std::ios::binary);
  std::vector<std::byte> content(bytes);
  if (!in || !in.read(reinterpret_cast<char*>(content.data()), static_cast<std::streamsize>(bytes))) {
    fail(Code::kIo, "cannot read ", quoted(path.string(), 400));
  }
  return content;
}

Isa isa_of(const SessionOptions& options) {
  if (options.isa.empty()) return choose_isa();
  for (int i = 0; i < kIsaCount; ++i) {
    const auto isa = static_cast<Isa>(i);
    if (name_of(isa) != options.isa) continue;
    if (!can_run(isa)) fail(Code::kUnavailable, "instruction set ", options.isa, " is not available on this processor");
    return isa;
  }
  fail(Code::kUsage, "unknown instruction set ", quoted(options.isa),
       ", expected scalar, baseline, avx2, avx512 or neon");
}

void check(const SessionOptions& options) {
  if (options.device != "cpu") {
    fail(Code::kUnavailable, "device ", quoted(options.device),
         " is not available: this build has no CUDA kernels; use cpu");
  }
  if (options.threads < 1 || options.threads > kMaxThreads) {
    fail(Code::kUsage, "threads is ", options.threads, ", expected 1 to ", kMaxThreads);
  }
}

// Names every operator that is missing at once, so that a user need not try again and again.
void resolve_all(Graph& graph) {
  std::string faults;
  int count = 0;
  for (Node& node : graph.nodes) {
    try {
      resolve(node);
    } catch (const Error& error) {
      if (++count <= 20) faults += concat(count > 1 ? "\n" : "", error.at(node.title()).message());
    }
  }
  if (count > 20) faults += concat("\nand ", count - 20, " more nodes");
  if (count > 0) throw Error(Code::kUnsupported, faults);
}

std::vector<PortInfo> ports_of(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<PortInfo> ports;
  for (const ValueId id : ids) {
    const Value& value = graph.values[static_cast<std::size_t>(id)];
    ports.push_back({value.name, value.fact.dtype, value.fact.dims.value_or(Dims{})});
  }
  return ports;
}

void check_input(const PortInfo& port, const Fact& fact, const TensorView& view) {
  const auto refuse = [&] {
    fail(Code::kInput, "input ", quoted(port.name), " is ", name_of(view.dtype), " ", view.shape.text(), ", expected ",
         name_of(port.dtype), " ", fact.dims ? text_of(*fact.dims) : "of any shape");
  };
  if (view.dtype != port.dtype || view.data == nullptr) refuse();
  if (!fact.dims) return;
  if (static_cast<std::size_t>(view.shape.rank()) != fact.dims->size()) refuse();
  for (int axis = 0; axis < view.shape.rank(); ++axis) {
    const Dim& dim = (*fact.dims)[static_cast<std::size_t>(axis)];
    if (view.shape[axis] < 0 || (dim.is_known() && dim.value() != view.shape[axis])) refuse();
  }
}

}  // namespace

const char* version() noexcept { return SLIPWAY_VERSION; }

Session Session::open(const std::string& path, const SessionOptions& options) {
  const std::filesystem::path given(path);
  std::error_code ignored;
  const bool is_bundle = std::filesystem::is_directory(given, ignored);
  const auto file = is_bundle ? given / "model.onnx" : given;
  if (is_bundle && !std::filesystem::exists(file, ignored)) {
    fail(Code::kDamaged, quoted(path, 400), " is a folder without model.onnx, so it is no bundle");
  }
  const std::vector<std::byte> bytes = read_file(file);
  try {
    return read(bytes, options);
  } catch (const Error& error) {
    throw error.at(file.string());
  }
}

Session Session::read(std::span<const std::byte> bytes, const SessionOptions& options) {
  check(options);
  auto state = std::make_shared<State>();
  state->options = options;
  Graph graph = parse(bytes);
  state->onnx_text = graph.text();
  resolve_all(graph);
  infer_facts(graph);
  state->graph_text = graph.text();
  state->inputs = ports_of(graph, graph.inputs);
  state->outputs = ports_of(graph, graph.outputs);
  const Isa isa = isa_of(options);
  state->passes_text += graph.text();
  state->runner = std::make_unique<Runner>(std::move(graph), isa, options.threads);
  return Session(std::move(state));
}

const std::vector<PortInfo>& Session::inputs() const noexcept { return state_->inputs; }
const std::vector<PortInfo>& Session::outputs() const noexcept { return state_->outputs; }

const std::map<std::string, std::string, std::less<>>& Session::metadata() const noexcept {
  return state_->runner->graph().metadata;
}

std::vector<Tensor> Session::run(std::span<const TensorView> inputs) const { return run(inputs, {}); }

std::vector<Tensor> Session::run(std::span<const TensorView> inputs, std::span<const MutableView> into) const {
  const Graph& graph = state_->runner->graph();
  if (inputs.size() != state_->inputs.size()) {
    fail(Code::kInput, "got ", inputs.size(), " inputs, the model has ", state_->inputs.size());
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check_input(state_->inputs[i], graph.values[static_cast<std::size_t>(graph.inputs[i])].fact, inputs[i]);
  }
  std::vector<Tensor> allocated;
  state_->runner->run(inputs, into, &allocated);
  return allocated;
}

std::string Session::text(const std::string& stage, const InputShapes& shapes) const {
  if (stage == "onnx") return state_->onnx_text;
  if (stage == "graph") return state_->graph_text;
  if (stage == "passes") return state_->passes_text;
  if (stage != "plan") fail(Code::kUsage, "unknown stage ", quoted(stage), ", expected onnx, graph, passes or plan");
  if (shapes.size() != state_->inputs.size()) {
    fail(Code::kUsage, "stage plan needs the shapes of all ", state_->inputs.size(), " inputs, got ", shapes.size());
  }
  return state_->runner->plan_text(shapes);
}

}  // namespace slipway
