// ModelProto -> Graph: versions, opsets, metadata; the graph itself is read by graph.cc.
#include "base/error.h"
#include "parse/messages.h"

namespace slipway {

namespace {

// IR version 3 is the oldest that onnx still reads; 14 came with onnx 1.23.
constexpr int64_t kMinIr = 3;
constexpr int64_t kMaxIr = 14;
constexpr int64_t kMinOpset = 13;
constexpr int64_t kMaxOpset = 24;

// Field numbers of ModelProto.
enum : uint32_t {
  kIrVersion = 1,
  kGraph = 7,
  kOpsetImport = 8,
  kMetadata = 14,
  kFunctions = 25,
};

struct Model {
  int64_t ir_version = 0;
  std::optional<Bytes> graph;
  Opsets opsets;
  std::map<std::string, std::string, std::less<>> metadata;
};

void add_opset(Model& model, Bytes message, const ParseLimits& limits) {
  std::string_view domain;
  int64_t version = 0;
  WireReader reader(message);
  Field field;
  while (reader.next(field)) {
    if (field.number == 1) domain = checked_name(field.text(), "domain", limits);
    if (field.number == 2) version = field.integer();
  }
  if (domain == "ai.onnx") domain = "";
  if (!model.opsets.emplace(domain, version).second) {
    fail(Code::kModel, "domain ", quote(domain), " is imported twice");
  }
  if (domain.empty() && (version < kMinOpset || version > kMaxOpset)) {
    fail(Code::kUnsupported, "opset ", version, " is not supported, supported are ", kMinOpset, " to ", kMaxOpset);
  }
}

void add_metadata(Model& model, Bytes message, const ParseLimits& limits) {
  std::string_view key;
  std::string_view value;
  WireReader reader(message);
  Field field;
  while (reader.next(field)) {
    if (field.number == 1) key = checked_name(field.text(), "metadata key", limits);
    if (field.number == 2) value = field.text();
  }
  if (!is_utf8(value)) fail(Code::kModel, "the value of metadata key ", quote(key), " is not UTF-8");
  if (!model.metadata.emplace(key, value).second) fail(Code::kModel, "metadata key ", quote(key), " stands twice");
}

void read_field(Model& model, const Field& field, const ParseLimits& limits) {
  switch (field.number) {
    case kIrVersion:
      model.ir_version = field.integer();
      return;
    case kGraph:
      if (model.graph) fail(Code::kModel, "holds two graphs");
      model.graph = field.message();
      return;
    case kOpsetImport:
      return add_opset(model, field.message(), limits);
    case kMetadata:
      return add_metadata(model, field.message(), limits);
    case kFunctions:
      fail(Code::kUnsupported,
           "defines functions of its own, which is not supported; inline them first "
           "(onnx.inliner.inline_local_functions)");
    default:
      return;
  }
}

Model read_model(Bytes bytes, const ParseLimits& limits) {
  Model model;
  WireReader reader(bytes);
  Field field;
  while (reader.next(field)) read_field(model, field, limits);
  if (model.ir_version == 0 || !model.graph) {
    fail(Code::kModel, "is not an ONNX model: it has no ", model.graph ? "ir_version" : "graph");
  }
  if (model.ir_version < kMinIr || model.ir_version > kMaxIr) {
    fail(Code::kUnsupported, "IR version ", model.ir_version, " is not supported, supported are ", kMinIr, " to ",
         kMaxIr);
  }
  return model;
}

}  // namespace

Graph parse(std::span<const std::byte> bytes, const ParseLimits& limits, const ExternalFiles* files) {
  Model model;
  try {
    model = read_model(bytes, limits);
  } catch (const Error& error) {
    throw error.at("model");
  }
  Graph graph;
  graph.metadata = std::move(model.metadata);
  read_graph(*model.graph, model.opsets, limits, files, graph);
  return graph;
}

}  // namespace slipway
