// The chain of stages: bytes -> graph -> passes -> plan -> run. See docs/decisions for why each is a value.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/apart.h"
#include "base/cpu.h"
#include "base/float_scope.h"
#include "base/memory_budget.h"
#include "cuda/device.h"
#include "exec/bridge.h"
#include "exec/device_frame.h"
#include "exec/given_outputs.h"
#include "exec/runner.h"
#include "ops/single.h"
#include "ops/table.h"
#include "parse/external.h"
#include "parse/parse.h"
#include "passes/infer_facts.h"
#include "passes/pipeline.h"
#include "slipway/slipway.h"

namespace slipway {

namespace {

// One symbol stands for one size: the passes rely on it, so a run with two is refused.
struct SharedSize {
  std::string symbol;
  std::size_t first_input;
  int first_axis;
  std::size_t second_input;
  int second_axis;
};

}  // namespace

struct Session::State {
  SessionOptions options;
  std::vector<PortInfo> inputs;
  std::vector<PortInfo> outputs;
  std::vector<SharedSize> shared_sizes;
  std::string onnx_text;
  std::string graph_text;
  std::vector<PassRecord> passes;
  std::unique_ptr<ThreadPool> pool;
  std::shared_ptr<CudaDevice> device;  // null: the processor
  std::unique_ptr<Runner> runner;
  std::unique_ptr<Bridge> bridge;  // of a device
};

namespace {

constexpr int kMaxThreads = 256;
// That of protobuf, which every other reader of ONNX has.
constexpr std::uintmax_t kMaxModelBytes = std::uintmax_t{1} << 31;

Buffer read_file(const std::filesystem::path& path, int64_t max_bytes) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) fail(Code::kIo, "cannot read ", quote(path.string(), 400), ": ", error.message());
  if (max_bytes > 0 && static_cast<int64_t>(bytes) > max_bytes) {
    fail(Code::kLimit, quote(path.string(), 400), " has ", bytes, " bytes, max_memory is ", max_bytes);
  }
  if (bytes > kMaxModelBytes) {
    fail(Code::kLimit, quote(path.string(), 400), " has ", bytes, " bytes, the limit of an ONNX file is ",
         kMaxModelBytes);
  }
  std::ifstream in(path, std::ios::binary);
  Buffer content(static_cast<int64_t>(bytes));
  if (!in || !in.read(reinterpret_cast<char*>(content.data()), static_cast<std::streamsize>(bytes))) {
    fail(Code::kIo, "cannot read ", quote(path.string(), 400));
  }
  return content;
}

// What is inside a file cannot pass protobuf's 2 GiB; files beside it are bounded by the memory alone.
ParseLimits limits_with(const ExternalFiles* files) {
  ParseLimits limits;
  if (files != nullptr) limits.max_constant_bytes = INT64_MAX;
  return limits;
}

Precision precision_of(const SessionOptions& options) {
  for (int i = 0; i < kPrecisionCount; ++i) {
    const auto precision = static_cast<Precision>(i);
    if (name_of(precision) != options.precision) continue;
    if (precision == Precision::kTf32) return precision;
    if (precision != Precision::kFloat32 && !options.optimize) {
      fail(Code::kUsage, "precision is ", options.precision, ", which needs the passes; optimize is false");
    }
    return precision;
  }
  fail(Code::kUsage, "unknown precision ", quote(options.precision), ", expected fp32, bf16, int8 or tf32");
}

void check(const SessionOptions& options) {
  if (options.threads < 1 || options.threads > kMaxThreads) {
    fail(Code::kUsage, "threads is ", options.threads, ", expected 1 to ", kMaxThreads);
  }
  if (options.max_memory < 0) fail(Code::kUsage, "max_memory is ", options.max_memory, ", expected 0 or more");
  if (options.max_steps < 0) fail(Code::kUsage, "max_steps is ", options.max_steps, ", expected 0 or more");
}

Machine machine_of(const Session::State& state) {
  Machine machine{state.options.isa.empty() ? choose_isa() : isa_named(state.options.isa), state.pool.get(),
                  state.options.max_steps};
  machine.target.threads = state.options.threads;
  if (state.device) {
    machine.target = Target(state.device);
    machine.device_constants = std::make_shared<DeviceConstants>(state.device);
  }
  return machine;
}

// Sets it for the session, whose own handle of the device this is.
void require_tf32(CudaDevice* device) {
  if (device == nullptr) fail(Code::kUnavailable, "precision tf32 is one of CUDA devices; the session's device is cpu");
  if (!device->has_tf32()) {
    fail(Code::kUnavailable, "precision tf32 needs compute capability 8.0; ", device->name(), " has ",
         device->capability() / 10, ".", device->capability() % 10);
  }
  device->round_products();
}

// Nodes with bodies run on the processor only. That others lack a kernel is known when a plan needs it: shape
// arithmetic runs nowhere but in the plan.
void require_cuda(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (node.row->kind != RowKind::kControl) continue;
    fail(Code::kUnsupported, node.title(), ": operator ", node.op, " does not run on CUDA; use device cpu");
  }
}

std::vector<Value> values_of(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<Value> values;
  for (const ValueId id : ids) values.push_back(graph.values[static_cast<std::size_t>(id)]);
  return values;
}

// Dimensions as inferred; where nothing is known, as the file states them.
std::vector<PortInfo> ports_of(const std::vector<Value>& read, const Graph& inferred, const std::vector<ValueId>& ids) {
  std::vector<PortInfo> ports;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Value& stated = read[i];
    const Fact& fact = inferred.values[static_cast<std::size_t>(ids[i])].fact;
    PortInfo port{stated.name, fact.dtype, fact.dims.value_or(stated.fact.dims.value_or(Dims{})),
                  fact.dims || stated.fact.dims};
    if (stated.fact.dims && stated.fact.dims->size() == port.dims.size()) {
      for (std::size_t axis = 0; axis < port.dims.size(); ++axis) {
        Dim& dim = port.dims[axis];
        if (!dim.is_known() && dim.symbol().empty()) dim = (*stated.fact.dims)[axis];
      }
    }
    ports.push_back(std::move(port));
  }
  return ports;
}

// Every second place where a symbol stands among the inputs, with the first.
std::vector<SharedSize> shared_sizes_of(const std::vector<PortInfo>& inputs) {
  std::map<std::string, std::pair<std::size_t, int>> first;
  std::vector<SharedSize> shared;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (std::size_t axis = 0; axis < inputs[i].dims.size(); ++axis) {
      const std::string& symbol = inputs[i].dims[axis].symbol();
      if (symbol.empty()) continue;
      const std::pair place{i, static_cast<int>(axis)};
      const auto [found, is_new] = first.try_emplace(symbol, place);
      if (!is_new) shared.push_back({symbol, found->second.first, found->second.second, place.first, place.second});
    }
  }
  return shared;
}

bool fits(const PortInfo& port, const Shape& shape) noexcept {
  if (!port.has_rank) return true;
  if (static_cast<std::size_t>(shape.rank()) != port.dims.size()) return false;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const Dim& dim = port.dims[static_cast<std::size_t>(axis)];
    if (shape[axis] < 0 || (dim.is_known() && dim.value() != shape[axis])) return false;
  }
  return true;
}

[[noreturn]] void refuse(const PortInfo& port, DType dtype, const Shape& shape) {
  fail(Code::kInput, "input ", quote(port.name), " is ", name_of(dtype), " ", shape.text(), ", expected ",
       name_of(port.dtype), " ", port.has_rank ? text_of(port.dims) : "of any shape");
}

// From here on the bytes and elements of an input can be counted.
void check_size(const PortInfo& port, const Shape& shape) {
  try {
    (void)shape.checked_bytes(size_of(port.dtype));
  } catch (const Error& error) {
    throw error.at(concat("input ", quote(port.name)));
  }
}

// `shape_of(i)` is that of input i.
template <typename ShapeOf>
void check_shapes(const Session::State& state, const ShapeOf& shape_of) {
  for (std::size_t i = 0; i < state.inputs.size(); ++i) {
    const PortInfo& port = state.inputs[i];
    if (!fits(port, shape_of(i))) refuse(port, port.dtype, shape_of(i));
    check_size(port, shape_of(i));
  }
  for (const SharedSize& shared : state.shared_sizes) {
    const int64_t first = shape_of(shared.first_input)[shared.first_axis];
    const int64_t second = shape_of(shared.second_input)[shared.second_axis];
    if (first == second) continue;
    fail(Code::kInput, "dimension ", quote(shared.symbol), " is ", first, " in input ",
         quote(state.inputs[shared.first_input].name), " but ", second, " in input ",
         quote(state.inputs[shared.second_input].name));
  }
}

void check_inputs(const Session::State& state, std::span<const TensorView> inputs) {
  if (inputs.size() != state.inputs.size()) {
    fail(Code::kInput, "got ", inputs.size(), " inputs, the model has ", state.inputs.size());
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const PortInfo& port = state.inputs[i];
    const TensorView& view = inputs[i];
    if (view.dtype != port.dtype || view.data == nullptr) refuse(port, view.dtype, view.shape);
    check_aligned(view.data, view.dtype, view.shape, "input", port.name);
  }
  check_shapes(state, [&](std::size_t i) -> const Shape& { return inputs[i].shape; });
}

void check_memory(const Session::State& state, std::span<const TensorView> inputs, std::span<const MutableView> into) {
  check_apart(std::min(into.size(), state.outputs.size()), inputs, [&](std::size_t k) {
    return GivenMemory{into[k].data, described_bytes(into[k].dtype, into[k].shape), state.outputs[k].name};
  });
}

void run_checked(const Session::State& state, std::span<const TensorView> inputs, Outputs& outputs) {
  const FloatScope floats;
  if (state.bridge) return state.bridge->run(*state.runner, inputs, outputs);
  state.runner->run(inputs, outputs);
}

}  // namespace

const char* version() noexcept { return SLIPWAY_VERSION; }

Session Session::open(const std::string& path, const SessionOptions& options) {
  const std::filesystem::path given(path);
  std::error_code ignored;
  const bool is_bundle = std::filesystem::is_directory(given, ignored);
  const auto file = is_bundle ? given / "model.onnx" : given;
  if (is_bundle && !std::filesystem::exists(file, ignored)) {
    fail(Code::kDamaged, quote(path, 400), " is a folder without model.onnx, so it is no bundle");
  }
  check(options);
  const Buffer bytes = read_file(file, options.max_memory);
  const ExternalFiles files(file.parent_path().string());
  try {
    return load({bytes.data(), static_cast<std::size_t>(bytes.bytes())}, options, &files);
  } catch (const Error& error) {
    throw error.at(file.string());
  }
}

Session Session::read(std::span<const std::byte> bytes, const SessionOptions& options) {
  check(options);
  return load(bytes, options, nullptr);
}

Session Session::load(std::span<const std::byte> bytes, const SessionOptions& options, const ExternalFiles* files) {
  const FloatScope floats;
  const Precision precision = precision_of(options);
  auto state = std::make_shared<State>();
  state->options = options;
  const auto memory = std::make_shared<MemoryBudget>(options.max_memory);
  const BudgetScope scope(memory);
  if (const int number = cuda_number(options.device); number >= 0) state->device = CudaDevice::open(number);
  if (precision == Precision::kTf32) require_tf32(state->device.get());
  Graph graph = parse(bytes, limits_with(files), files);
  state->onnx_text = graph.text();
  const std::vector<Value> inputs = values_of(graph, graph.inputs);
  const std::vector<Value> outputs = values_of(graph, graph.outputs);
  resolve_all(graph);
  infer_facts(graph);
  state->graph_text = graph.text();
  state->inputs = ports_of(inputs, graph, graph.inputs);
  state->outputs = ports_of(outputs, graph, graph.outputs);
  state->shared_sizes = shared_sizes_of(state->inputs);
  if (options.optimize) {
    graph = run_pipeline(std::move(graph), &state->passes, precision, state->device != nullptr);
  }
  if (options.threads > 1) state->pool = std::make_unique<ThreadPool>(options.threads);
  Machine machine = machine_of(*state);
  machine.memory = memory;
  if (state->device) {
    require_cuda(graph);
    state->bridge = std::make_unique<Bridge>(state->device);
  }
  state->runner = std::make_unique<Runner>(std::move(graph), machine);
  return Session(std::move(state));
}

const std::vector<PortInfo>& Session::inputs() const noexcept { return state_->inputs; }
const std::vector<PortInfo>& Session::outputs() const noexcept { return state_->outputs; }

const std::map<std::string, std::string, std::less<>>& Session::metadata() const noexcept {
  return state_->runner->graph().metadata;
}

std::vector<Tensor> Session::run(std::span<const TensorView> inputs) const { return run(inputs, {}); }

std::vector<Tensor> Session::run(std::span<const TensorView> inputs, std::span<const MutableView> into) const {
  check_inputs(*state_, inputs);
  check_memory(*state_, inputs, into);
  std::vector<Tensor> allocated;
  GivenOutputs outputs(state_->runner->graph(), into, &allocated);
  run_checked(*state_, inputs, outputs);
  return allocated;
}

void Session::run(std::span<const TensorView> inputs, Outputs& outputs) const {
  check_inputs(*state_, inputs);
  run_checked(*state_, inputs, outputs);
}

void Session::run_on(void* stream, std::span<const TensorView> inputs, Outputs& outputs) const {
  check_inputs(*state_, inputs);
  if (!state_->device) fail(Code::kUsage, "the model runs on the processor, it has no stream");
  const FloatScope floats;
  state_->runner->run(inputs, outputs, stream);
}

int Session::cuda_device() const noexcept { return state_->device ? state_->device->number() : -1; }

BoundCall Session::bind(std::span<const TensorView> inputs, std::span<const MutableView> into) const {
  check_inputs(*state_, inputs);
  for (std::size_t k = 0; k < state_->outputs.size(); ++k) {
    if (k < into.size() && into[k].data != nullptr) continue;
    fail(Code::kInput, "output ", quote(state_->outputs[k].name),
         " has no memory, a bound call needs it for every one");
  }
  check_memory(*state_, inputs, into);
  const FloatScope floats;
  struct Kept {
    std::shared_ptr<const State> state;  // goes last: the run gives its memory back to the model
    std::unique_ptr<BoundRun> run;
  };
  auto kept = std::make_shared<Kept>(Kept{state_, state_->runner->bind(inputs, into)});
  BoundRun* run = kept->run.get();
  return BoundCall(std::shared_ptr<BoundRun>(std::move(kept), run));
}

void BoundCall::operator()() const {
  const FloatScope floats;
  run_->run();
}

void BoundCall::run_on(void* stream) const {
  const FloatScope floats;
  run_->run(stream);
}

void BoundCall::finish(void* stream) const { run_->finish(stream); }

bool BoundCall::is_short() const noexcept { return run_->is_short(); }

std::string Session::text(const std::string& stage, const InputShapes& shapes) const {
  if (stage == "onnx") return state_->onnx_text;
  if (stage == "graph") return state_->graph_text;
  if (stage == "passes") {
    const std::string improved = state_->runner->graph().text();
    return state_->options.optimize ? text_of(state_->passes) + improved : improved;
  }
  if (stage != "plan") fail(Code::kUsage, "unknown stage ", quote(stage), ", expected onnx, graph, passes or plan");
  if (shapes.size() != state_->inputs.size()) {
    fail(Code::kUsage, "stage plan needs the shapes of all ", state_->inputs.size(), " inputs, got ", shapes.size());
  }
  check_shapes(*state_, [&](std::size_t i) -> const Shape& { return shapes[i]; });
  const FloatScope floats;
  return state_->runner->plan_text(shapes);
}

}  // namespace slipway
