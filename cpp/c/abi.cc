// The functions of slipway/c.h over slipway::Session. No exception leaves them.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <iterator>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/apart.h"
#include "base/error.h"
#include "slipway/c.h"
#include "slipway/slipway.h"

struct slipway_session {
  slipway::Session session;
};

namespace slipway {

namespace {

static_assert(static_cast<int>(Code::kModel) == SLIPWAY_MODEL && static_cast<int>(Code::kInput) == SLIPWAY_INPUT &&
              static_cast<int>(Code::kUnsupported) == SLIPWAY_UNSUPPORTED &&
              static_cast<int>(Code::kLimit) == SLIPWAY_LIMIT && static_cast<int>(Code::kFault) == SLIPWAY_FAULT &&
              static_cast<int>(Code::kUnavailable) == SLIPWAY_UNAVAILABLE &&
              static_cast<int>(Code::kDamaged) == SLIPWAY_DAMAGED && static_cast<int>(Code::kIo) == SLIPWAY_IO &&
              static_cast<int>(Code::kUsage) == SLIPWAY_USAGE);
static_assert(static_cast<int>(DType::kFloat32) == SLIPWAY_FLOAT32 && static_cast<int>(DType::kBool) == SLIPWAY_BOOL &&
              static_cast<int>(DType::kUint8) == SLIPWAY_UINT8 && static_cast<int>(DType::kInt8) == SLIPWAY_INT8 &&
              static_cast<int>(DType::kInt32) == SLIPWAY_INT32 && static_cast<int>(DType::kInt64) == SLIPWAY_INT64 &&
              static_cast<int>(DType::kFloat64) == SLIPWAY_FLOAT64);
static_assert(kMaxRank == SLIPWAY_MAX_RANK);

/// Where a function's sentence goes.
struct Message {
  char* text;
  std::size_t bytes;

  void write(std::string_view sentence) const noexcept {
    if (text == nullptr || bytes == 0) return;
    std::size_t length = std::min(sentence.size(), bytes - 1);
    const auto continues = [&] { return (static_cast<unsigned char>(sentence[length]) & 0xC0) == 0x80; };
    while (length > 0 && length < sentence.size() && continues()) --length;
    std::memcpy(text, sentence.data(), length);
    text[length] = '\0';
  }
};

slipway_code refuse(const Message& message, Code code, std::string_view sentence) noexcept {
  message.write(sentence);
  return static_cast<slipway_code>(code);
}

template <typename Body>
slipway_code answer(const Message& message, const Body& body) noexcept {
  try {
    body();
    message.write("");
    return SLIPWAY_OK;
  } catch (const Error& error) {
    return refuse(message, error.code(), error.message());
  } catch (const std::bad_alloc&) {
    return refuse(message, Code::kLimit, "there is not enough memory");
  } catch (const std::length_error&) {
    return refuse(message, Code::kLimit, "a size is too large to be held in memory");
  } catch (const std::exception& error) {
    return refuse(message, Code::kFault, error.what());
  } catch (...) {
    return refuse(message, Code::kFault, "an unknown error (this is a fault of slipway)");
  }
}

void require(const void* argument, std::string_view function, std::string_view name) {
  if (argument == nullptr) fail(Code::kUsage, function, ": ", name, " is NULL");
}

/// A program that was compiled for an older library has fewer fields; the others are zero for it.
slipway_options whole(const slipway_options& given) {
  constexpr std::size_t kLeast = offsetof(slipway_options, threads) + sizeof given.threads;  // without padding
  slipway_options options = {};
  if (given.bytes < kLeast || given.bytes > sizeof options) {
    fail(Code::kUsage, "options.bytes is ", given.bytes, ", expected sizeof(slipway_options), ", kLeast, " to ",
         sizeof options, " in this library");
  }
  std::memcpy(&options, &given, given.bytes);
  return options;
}

SessionOptions options_of(const slipway_options* given) {
  SessionOptions options;
  if (given == nullptr) return options;
  const slipway_options asked = whole(*given);
  if (asked.device != nullptr) options.device = asked.device;
  if (asked.isa != nullptr) options.isa = asked.isa;
  if (asked.precision != nullptr) options.precision = asked.precision;
  if (asked.max_steps != 0) options.max_steps = asked.max_steps;
  options.max_memory = asked.max_memory;
  if (!std::in_range<int>(asked.threads)) fail(Code::kUsage, "threads is ", asked.threads, ", expected 1 to 256");
  if (asked.threads != 0) options.threads = static_cast<int>(asked.threads);
  return options;
}

slipway_port port_of(const PortInfo& info) {
  slipway_port port = {};
  port.name = info.name.c_str();
  port.dtype = static_cast<int32_t>(info.dtype);
  port.rank = info.has_rank ? static_cast<int32_t>(info.dims.size()) : -1;
  if (port.rank > kMaxRank) {
    fail(Code::kUnsupported, quote(info.name), " has rank ", port.rank, ", supported are ranks 0 to ", kMaxRank);
  }
  for (std::size_t axis = 0; axis < info.dims.size(); ++axis) {
    const Dim& dim = info.dims[axis];
    port.sizes[axis] = dim.is_known() ? dim.value() : -1;
    port.symbols[axis] = dim.is_known() || dim.symbol().empty() ? nullptr : dim.symbol().c_str();
  }
  return port;
}

slipway_code describe(const std::vector<PortInfo>* ports, std::string_view function, std::size_t index,
                      slipway_port* port, const Message& message) noexcept {
  return answer(message, [&] {
    require(ports, function, "session");
    require(port, function, "port");
    if (index >= ports->size()) {
      fail(Code::kUsage, function, ": index is ", index, ", the model has ", ports->size(), " of them");
    }
    *port = port_of((*ports)[index]);
  });
}

TensorView view_of(const slipway_view& given, const std::string& name) {
  if (given.data == nullptr) fail(Code::kUsage, "slipway_run: data of input ", quote(name), " is NULL");
  if (given.rank < 0 || given.rank > kMaxRank) {
    fail(Code::kInput, "input ", quote(name), " has rank ", given.rank, ", expected 0 to ", kMaxRank);
  }
  const DType dtype = dtype_from_onnx(given.dtype);
  if (dtype == DType::kNone) fail(Code::kInput, "input ", quote(name), " has the unknown dtype ", given.dtype);
  return {given.data, dtype, Shape(std::span(given.sizes, static_cast<std::size_t>(given.rank)))};
}

/// The caller's memory. What is not wanted, or does not fit, is computed into memory that the run frees.
class CallerOutputs final : public Outputs {
 public:
  CallerOutputs(const std::vector<PortInfo>& ports, std::span<slipway_mutable_view> views)
      : ports_(ports), views_(views), targets_(views.size()), own_(views.size()) {}

  void prepare(std::size_t k, DType dtype, const Shape& shape) override {
    slipway_mutable_view& view = views_[k];
    view.dtype = static_cast<int32_t>(dtype);
    view.rank = shape.rank();
    std::copy(shape.sizes().begin(), shape.sizes().end(), view.sizes);
    if (view.data != nullptr) check_aligned(view.data, dtype, shape, "output", ports_[k].name);
    const int64_t needed = shape.checked_bytes(size_of(dtype));
    const bool fits = view.bytes >= needed;
    if (view.data != nullptr && fits) {
      targets_[k] = view.data;
      return;
    }
    own_[k] = Tensor(dtype, shape);
    targets_[k] = own_[k].mutable_view().data;
    if (view.data == nullptr || !fault_.empty()) return;
    fault_ = concat("output ", quote(ports_[k].name), " is ", name_of(dtype), " ", shape.text(), " and needs ", needed,
                    " bytes, its memory has ", view.bytes);
  }

  [[nodiscard]] void* address(std::size_t k) const noexcept override { return targets_[k]; }

  /// After the run, so that every type and shape is set.
  void check_that_all_fitted() const {
    if (!fault_.empty()) throw Error(Code::kInput, fault_);
  }

 private:
  const std::vector<PortInfo>& ports_;
  std::span<slipway_mutable_view> views_;
  std::vector<void*> targets_;
  std::vector<Tensor> own_;
  std::string fault_;
};

void run(const Session& session, std::span<const slipway_view> inputs, std::span<slipway_mutable_view> outputs) {
  if (inputs.size() != session.inputs().size() || outputs.size() != session.outputs().size()) {
    fail(Code::kInput, "got ", inputs.size(), " inputs and ", outputs.size(), " outputs, the model has ",
         session.inputs().size(), " and ", session.outputs().size());
  }
  std::vector<TensorView> views;
  views.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) views.push_back(view_of(inputs[i], session.inputs()[i].name));
  check_apart(outputs.size(), views,
              [&](std::size_t k) { return GivenMemory{outputs[k].data, outputs[k].bytes, session.outputs()[k].name}; });
  CallerOutputs caller(session.outputs(), outputs);
  session.run(views, caller);
  caller.check_that_all_fitted();
}

template <typename Open>
slipway_code open_into(slipway_session** session, std::string_view function, const Message& message,
                       const Open& open) noexcept {
  if (session != nullptr) *session = nullptr;
  return answer(message, [&] {
    require(session, function, "session");
    *session = std::make_unique<slipway_session>(open()).release();
  });
}

}  // namespace

}  // namespace slipway

using slipway::answer;
using slipway::Message;
using slipway::require;

uint32_t slipway_abi_version(void) { return SLIPWAY_ABI_VERSION; }

const char* slipway_version(void) { return slipway::version(); }

slipway_code slipway_open(const char* path, const slipway_options* options, slipway_session** session, char* message,
                          size_t message_bytes) {
  return slipway::open_into(session, "slipway_open", {message, message_bytes}, [&] {
    require(path, "slipway_open", "path");
    return slipway_session{slipway::Session::open(path, slipway::options_of(options))};
  });
}

slipway_code slipway_read(const void* bytes, size_t size, const slipway_options* options, slipway_session** session,
                          char* message, size_t message_bytes) {
  return slipway::open_into(session, "slipway_read", {message, message_bytes}, [&] {
    require(bytes, "slipway_read", "bytes");
    const std::span content(static_cast<const std::byte*>(bytes), size);
    return slipway_session{slipway::Session::read(content, slipway::options_of(options))};
  });
}

void slipway_close(slipway_session* session) { const std::unique_ptr<slipway_session> last(session); }

int64_t slipway_input_count(const slipway_session* session) {
  return session == nullptr ? -1 : std::ssize(session->session.inputs());
}

int64_t slipway_output_count(const slipway_session* session) {
  return session == nullptr ? -1 : std::ssize(session->session.outputs());
}

int64_t slipway_metadata_count(const slipway_session* session) {
  return session == nullptr ? -1 : std::ssize(session->session.metadata());
}

slipway_code slipway_input(const slipway_session* session, size_t index, slipway_port* port, char* message,
                           size_t message_bytes) {
  const auto* ports = session == nullptr ? nullptr : &session->session.inputs();
  return slipway::describe(ports, "slipway_input", index, port, {message, message_bytes});
}

slipway_code slipway_output(const slipway_session* session, size_t index, slipway_port* port, char* message,
                            size_t message_bytes) {
  const auto* ports = session == nullptr ? nullptr : &session->session.outputs();
  return slipway::describe(ports, "slipway_output", index, port, {message, message_bytes});
}

const char* slipway_metadata(const slipway_session* session, const char* key) {
  if (session == nullptr || key == nullptr) return nullptr;
  const auto found = session->session.metadata().find(std::string_view(key));
  return found == session->session.metadata().end() ? nullptr : found->second.c_str();
}

slipway_code slipway_metadata_entry(const slipway_session* session, size_t index, const char** key, const char** value,
                                    char* message, size_t message_bytes) {
  return answer({message, message_bytes}, [&] {
    require(session, "slipway_metadata_entry", "session");
    require(key, "slipway_metadata_entry", "key");
    require(value, "slipway_metadata_entry", "value");
    const auto& metadata = session->session.metadata();
    if (index >= metadata.size()) {
      slipway::fail(slipway::Code::kUsage, "slipway_metadata_entry: index is ", index, ", the model has ",
                    metadata.size(), " of them");
    }
    const auto& entry = *std::next(metadata.begin(), static_cast<std::ptrdiff_t>(index));
    *key = entry.first.c_str();
    *value = entry.second.c_str();
  });
}

slipway_code slipway_run(const slipway_session* session, const slipway_view* inputs, size_t input_count,
                         slipway_mutable_view* outputs, size_t output_count, char* message, size_t message_bytes) {
  return answer({message, message_bytes}, [&] {
    require(session, "slipway_run", "session");
    if (input_count > 0) require(inputs, "slipway_run", "inputs");
    if (output_count > 0) require(outputs, "slipway_run", "outputs");
    slipway::run(session->session, {inputs, input_count}, {outputs, output_count});
  });
}
