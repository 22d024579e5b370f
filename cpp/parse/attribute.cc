// AttributeProto -> Attribute, and the value of a Constant node.
#include <cstring>

#include "base/error.h"
#include "parse/messages.h"

namespace slipway {

namespace {

// AttributeProto.AttributeType, and the field that holds each.
enum class Kind : int64_t {
  kFloat = 1,
  kInt = 2,
  kString = 3,
  kTensor = 4,
  kGraph = 5,
  kFloats = 6,
  kInts = 7,
  kStrings = 8,
  kTensors = 9,
  kGraphs = 10,
};
enum : uint32_t {
  kFieldName = 1,
  kFieldFloat = 2,
  kFieldInt = 3,
  kFieldString = 4,
  kFieldTensor = 5,
  kFieldGraph = 6,
  kFieldFloats = 7,
  kFieldInts = 8,
  kFieldStrings = 9,
  kFieldKind = 20,
  kFieldReference = 21,
};

struct Header {
  std::string_view name;
  int64_t kind = 0;
  float f = 0.0F;
  int64_t i = 0;
  std::string_view s;
  std::optional<Bytes> tensor;
  std::optional<Bytes> graph;
  std::size_t count = 0;  // elements of floats, ints and strings together
};

void read_field(Header& header, const Field& field, const ParseLimits& limits) {
  switch (field.number) {
    case kFieldName:
      header.name = checked_name(field.text(), "attribute name", limits);
      return;
    case kFieldKind:
      header.kind = field.integer();
      return;
    case kFieldFloat:
      header.f = field.real();
      return;
    case kFieldInt:
      header.i = field.integer();
      return;
    case kFieldString:
      header.s = field.text();
      return;
    case kFieldTensor:
      if (header.tensor) fail(Code::kModel, "holds two tensors");
      header.tensor = field.message();
      return;
    case kFieldGraph:
      if (header.graph) fail(Code::kModel, "holds two graphs");
      header.graph = field.message();
      return;
    case kFieldFloats:
      return visit_reals<float>(field, [&](float) { ++header.count; });
    case kFieldInts:
      return visit_varints(field, [&](int64_t) { ++header.count; });
    case kFieldStrings:
      (void)field.text();
      ++header.count;
      return;
    case kFieldReference:
      if (!field.text().empty()) fail(Code::kModel, "refers to an attribute of a function, but stands in none");
      return;
    default:
      return;
  }
}

// Calls visit(field) for each field of that number.
template <typename Visit>
void visit_fields(Bytes message, uint32_t number, Visit&& visit) {
  WireReader reader(message);
  Field field;
  while (reader.next(field)) {
    if (field.number == number) visit(field);
  }
}

Attribute value_of(const Header& header, Bytes message, const ParseLimits& limits, ConstantBudget& budget,
                   const BodyReader& read_body) {
  switch (static_cast<Kind>(header.kind)) {
    case Kind::kFloat:
      return header.f;
    case Kind::kInt:
      return header.i;
    case Kind::kString:
      return std::string(header.s);
    case Kind::kTensor:
      if (!header.tensor) fail(Code::kModel, "is of type tensor, but holds none");
      return read_tensor(*header.tensor, limits, budget).tensor;
    case Kind::kFloats: {
      std::vector<float> list;
      list.reserve(header.count);
      visit_fields(message, kFieldFloats,
                   [&](const Field& field) { visit_reals<float>(field, [&](float value) { list.push_back(value); }); });
      return list;
    }
    case Kind::kInts: {
      std::vector<int64_t> list;
      list.reserve(header.count);
      visit_fields(message, kFieldInts,
                   [&](const Field& field) { visit_varints(field, [&](int64_t value) { list.push_back(value); }); });
      return list;
    }
    case Kind::kStrings: {
      std::vector<std::string> list;
      list.reserve(header.count);
      visit_fields(message, kFieldStrings, [&](const Field& field) { list.emplace_back(field.text()); });
      return list;
    }
    case Kind::kGraph:
      if (!header.graph) fail(Code::kModel, "is of type graph, but holds none");
      return read_body(*header.graph);
    case Kind::kGraphs:
    case Kind::kTensors:
      break;
  }
  fail(header.kind == 0 ? Code::kModel : Code::kUnsupported, "is of type ", header.kind,
       ", supported are 1 to 8 (float, int, string, tensor, graph, floats, ints, strings)");
}

std::shared_ptr<const Tensor> filled(DType dtype, const Shape& shape, const void* data) {
  auto tensor = std::make_shared<Tensor>(dtype, shape);
  if (tensor->bytes() > 0) std::memcpy(tensor->mutable_view().data, data, static_cast<std::size_t>(tensor->bytes()));
  return tensor;
}

}  // namespace

std::pair<std::string, Attribute> read_attribute(Bytes message, const ParseLimits& limits, ConstantBudget& budget,
                                                 const BodyReader& read_body) {
  Header header;
  try {
    WireReader reader(message);
    Field field;
    while (reader.next(field)) read_field(header, field, limits);
    if (header.name.empty()) fail(Code::kModel, "has no name");
    return {std::string(header.name), value_of(header, message, limits, budget, read_body)};
  } catch (const Error& error) {
    throw error.at(concat("attribute ", quote(header.name)));
  }
}

std::shared_ptr<const Tensor> constant_of(const Node& node) {
  if (!node.inputs.empty()) fail(Code::kModel, "has ", node.inputs.size(), " inputs, expected none");
  if (node.outputs.size() != 1) fail(Code::kModel, "has ", node.outputs.size(), " outputs, expected 1");
  if (node.attributes.size() != 1) {
    fail(Code::kModel, "has ", node.attributes.size(), " attributes, expected one that holds its value");
  }
  const auto& [name, value] = *node.attributes.begin();
  if (const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&value); tensor && name == "value") {
    return *tensor;
  }
  if (const auto* one = std::get_if<float>(&value); one && name == "value_float") {
    return filled(DType::kFloat32, {}, one);
  }
  if (const auto* one = std::get_if<int64_t>(&value); one && name == "value_int") {
    return filled(DType::kInt64, {}, one);
  }
  if (const auto* list = std::get_if<std::vector<float>>(&value); list && name == "value_floats") {
    return filled(DType::kFloat32, {static_cast<int64_t>(list->size())}, list->data());
  }
  if (const auto* list = std::get_if<std::vector<int64_t>>(&value); list && name == "value_ints") {
    return filled(DType::kInt64, {static_cast<int64_t>(list->size())}, list->data());
  }
  fail(Code::kUnsupported, "attribute ", quote(name),
       " is not supported here, supported are: value, value_float, value_floats, value_int, value_ints");
}

}  // namespace slipway
