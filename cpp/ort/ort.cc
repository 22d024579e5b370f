#include "ort/ort.h"

#include <cstring>
#include <memory>
#include <utility>

#include "base/error.h"
#include "ort/library.h"

namespace slipway::ort {

namespace {

/// Releases a thing of onnxruntime's by the function that the interface has for it.
template <typename T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

// onnxruntime's messages may hold several lines; ours are one.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c != '\n' && c != '\r') {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

void check(const Api& api, Code code, OrtStatus* status) {
  if (status == nullptr) return;
  const std::string message = one_line(api.error_message(status));
  api.release_status(status);
  fail(code, "onnxruntime: ", message);
}

/// Makes a thing by `create(&thing)` and owns it.
template <typename T, typename Create>
Owned<T> make(const Api& api, Code code, void (*release)(T*), const Create& create) {
  T* thing = nullptr;
  check(api, code, create(&thing));
  return Owned<T>(thing, release);
}

/// A string that the library allocated, copied and freed.
std::string take_string(const Api& api, OrtAllocator* allocator, char* text) {
  std::string copy = text == nullptr ? "" : text;
  if (text != nullptr) check(api, Code::kModel, api.free(allocator, text));
  return copy;
}

DType dtype_of(const Api& api, const OrtTensorInfo* info, std::string_view what) {
  int number = 0;
  check(api, Code::kModel, api.element_type(info, &number));
  const DType dtype = dtype_from_onnx(number);
  if (dtype == DType::kNone)
    fail(Code::kUnsupported, what, " has ONNX element type ", number, ", which is not supported");
  return dtype;
}

PortInfo port_of(const Api& api, const OrtTypeInfo* type, std::string name) {
  const std::string what = concat("port ", quote(name));
  int kind = 0;
  check(api, Code::kModel, api.type_kind(type, &kind));
  if (kind != kTypeTensor) fail(Code::kUnsupported, what, " is not a tensor");
  const OrtTensorInfo* info = nullptr;  // belongs to `type`
  check(api, Code::kModel, api.as_tensor_info(type, &info));
  std::size_t rank = 0;
  check(api, Code::kModel, api.rank(info, &rank));
  std::vector<int64_t> sizes(rank);
  std::vector<const char*> symbols(rank);
  check(api, Code::kModel, api.dimensions(info, sizes.data(), rank));
  check(api, Code::kModel, api.symbols(info, symbols.data(), rank));
  PortInfo port{std::move(name), dtype_of(api, info, what), {}};
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const bool is_named = symbols[axis] != nullptr && *symbols[axis] != '\0';
    port.dims.push_back(sizes[axis] >= 0 ? Dim(sizes[axis]) : is_named ? Dim::symbol(symbols[axis]) : Dim());
  }
  return port;
}

Tensor tensor_of(const Api& api, OrtValue* value, const std::string& name) {
  const auto info = make<OrtTensorInfo>(api, Code::kFault, api.release_tensor_info,
                                        [&](OrtTensorInfo** out) { return api.tensor_info(value, out); });
  std::size_t rank = 0;
  check(api, Code::kFault, api.rank(info.get(), &rank));
  std::vector<int64_t> sizes(rank);
  check(api, Code::kFault, api.dimensions(info.get(), sizes.data(), rank));
  Tensor tensor(dtype_of(api, info.get(), concat("output ", quote(name))), Shape(sizes));
  void* data = nullptr;
  check(api, Code::kFault, api.tensor_data(value, &data));
  if (tensor.bytes() > 0) std::memcpy(tensor.as<std::byte>(), data, static_cast<std::size_t>(tensor.bytes()));
  return tensor;
}

}  // namespace

struct Session::State {
  Library library;
  Owned<OrtEnv> env;
  Owned<OrtMemoryInfo> memory;
  Owned<OrtSession> session;
  std::vector<PortInfo> inputs;
  std::vector<PortInfo> outputs;
  std::map<std::string, std::string, std::less<>> metadata;

  State(Library opened, const std::string& model, int threads);
  void read_ports(OrtAllocator* allocator);
  void read_metadata(OrtAllocator* allocator);
};

Session::State::State(Library opened, const std::string& model, int threads)
    : library(std::move(opened)),
      env(make<OrtEnv>(library.api, Code::kUnavailable, library.api.release_env,
                       [&](OrtEnv** out) { return library.api.create_env(kLoggingFatal, "slipway", out); })),
      memory(make<OrtMemoryInfo>(
          library.api, Code::kUnavailable, library.api.release_memory,
          [&](OrtMemoryInfo** out) { return library.api.create_cpu_memory(kDeviceAllocator, kMemoryDefault, out); })),
      session(nullptr, library.api.release_session) {
  const Api& api = library.api;
  const auto options =
      make<OrtSessionOptions>(api, Code::kUnavailable, api.release_options, api.create_session_options);
  check(api, Code::kUnavailable, api.set_threads(options.get(), threads));
  check(api, Code::kUnavailable, api.set_graph_threads(options.get(), 1));
  check(api, Code::kUnavailable, api.set_optimization(options.get(), kOptimizeAll));
  session = make<OrtSession>(api, Code::kModel, api.release_session, [&](OrtSession** out) {
    return api.create_session(env.get(), model.c_str(), options.get(), out);
  });
  OrtAllocator* allocator = nullptr;  // belongs to the library
  check(api, Code::kUnavailable, api.default_allocator(&allocator));
  read_ports(allocator);
  read_metadata(allocator);
}

void Session::State::read_ports(OrtAllocator* allocator) {
  const Api& api = library.api;
  const auto read = [&](auto count_of, auto name_of_port, auto type_of, std::vector<PortInfo>& ports) {
    std::size_t count = 0;
    check(api, Code::kModel, count_of(session.get(), &count));
    for (std::size_t i = 0; i < count; ++i) {
      char* name = nullptr;
      check(api, Code::kModel, name_of_port(session.get(), i, allocator, &name));
      std::string text = take_string(api, allocator, name);
      const auto type = make<OrtTypeInfo>(api, Code::kModel, api.release_type,
                                          [&](OrtTypeInfo** out) { return type_of(session.get(), i, out); });
      ports.push_back(port_of(api, type.get(), std::move(text)));
    }
  };
  read(api.input_count, api.input_name, api.input_type, inputs);
  read(api.output_count, api.output_name, api.output_type, outputs);
}

void Session::State::read_metadata(OrtAllocator* allocator) {
  const Api& api = library.api;
  const auto source = make<OrtModelMetadata>(api, Code::kModel, api.release_metadata, [&](OrtModelMetadata** out) {
    return api.model_metadata(session.get(), out);
  });
  char** keys = nullptr;
  int64_t count = 0;
  check(api, Code::kModel, api.metadata_keys(source.get(), allocator, &keys, &count));
  for (int64_t i = 0; i < count; ++i) {
    const std::string key = take_string(api, allocator, keys[i]);
    char* value = nullptr;
    check(api, Code::kModel, api.metadata_value(source.get(), allocator, key.c_str(), &value));
    metadata[key] = take_string(api, allocator, value);
  }
  if (keys != nullptr) check(api, Code::kModel, api.free(allocator, keys));
}

Session Session::open(const std::string& model, const Options& options) {
  return Session(std::make_shared<const State>(open_library(options), model, options.threads));
}

const std::vector<PortInfo>& Session::inputs() const noexcept { return state_->inputs; }
const std::vector<PortInfo>& Session::outputs() const noexcept { return state_->outputs; }
const std::map<std::string, std::string, std::less<>>& Session::metadata() const noexcept { return state_->metadata; }
const std::string& Session::library_version() const noexcept { return state_->library.version; }

std::vector<Tensor> Session::run(std::span<const TensorView> inputs) const {
  const Api& api = state_->library.api;
  std::vector<Owned<OrtValue>> owned;
  std::vector<const OrtValue*> values;
  std::vector<const char*> input_names;
  std::vector<const char*> output_names;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorView& view = inputs[i];
    owned.push_back(make<OrtValue>(api, Code::kInput, api.release_value, [&](OrtValue** out) {
      // onnxruntime's signature is not const, but it does not write to inputs.
      return api.create_tensor(state_->memory.get(), const_cast<void*>(view.data),
                               static_cast<std::size_t>(view.bytes()), view.shape.sizes().data(),
                               view.shape.sizes().size(), static_cast<int>(view.dtype), out);
    }));
    values.push_back(owned.back().get());
    input_names.push_back(state_->inputs[i].name.c_str());
  }
  for (const PortInfo& port : state_->outputs) output_names.push_back(port.name.c_str());
  std::vector<OrtValue*> results(output_names.size());
  try {
    check(api, Code::kFault,
          api.run(state_->session.get(), nullptr, input_names.data(), values.data(), values.size(), output_names.data(),
                  output_names.size(), results.data()));
  } catch (const Error& error) {
    fail(error.code(), "onnxruntime gave up while it ran the model, with an error of its own (", error.message(),
         "); try other values or sizes, or the engine native");
  }
  for (OrtValue* result : results) owned.emplace_back(result, api.release_value);
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < results.size(); ++i) {
    outputs.push_back(tensor_of(api, results[i], state_->outputs[i].name));
  }
  return outputs;
}

}  // namespace slipway::ort
