// ValueInfoProto -> name and fact; and the rules for names.
#include "base/error.h"
#include "parse/messages.h"

namespace slipway {

namespace {

// TypeProto: which field stands for which kind of value.
constexpr uint32_t kTensorType = 1;
constexpr std::string_view kind_of(uint32_t field) {
  switch (field) {
    case 4:
      return "a sequence";
    case 5:
      return "a map";
    case 7:
      return "an opaque value";
    case 8:
      return "a sparse tensor";
    case 9:
      return "an optional value";
    default:
      return {};
  }
}

// TensorShapeProto.Dimension. -1, which some exporters write, means unknown.
Dim read_dim(Bytes message, const ParseLimits& limits) {
  Dim dim;
  WireReader reader(message);
  Field field;
  while (reader.next(field)) {
    if (field.number == 1) {
      const int64_t size = field.integer();
      if (size < -1) fail(Code::kModel, "a dimension has size ", size);
      dim = size < 0 ? Dim() : Dim(size);
    } else if (field.number == 2) {
      const std::string_view symbol = checked_name(field.text(), "dimension name", limits);
      for (const char c : symbol) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          fail(Code::kModel, "dimension name ", quote(symbol), " holds a control character");
        }
      }
      dim = symbol.empty() ? Dim() : Dim::symbol(std::string(symbol));
    }
  }
  return dim;
}

Dims read_shape(Bytes message, const ParseLimits& limits) {
  Dims dims;
  WireReader reader(message);
  Field field;
  while (reader.next(field)) {
    if (field.number != 1) continue;
    if (dims.size() == kMaxRank) fail(Code::kUnsupported, "has more than ", kMaxRank, " dimensions");
    dims.push_back(read_dim(field.message(), limits));
  }
  std::vector<int64_t> sizes;
  for (const Dim& dim : dims) sizes.push_back(dim.is_known() ? dim.value() : 1);
  check_sizes(sizes);
  return dims;
}

void read_tensor_type(NamedFact& out, Bytes message, const ParseLimits& limits) {
  WireReader reader(message);
  Field field;
  while (reader.next(field)) {
    if (field.number == 1) {
      out.fact.dtype = dtype_from_onnx(field.integer());
      out.unsupported = out.fact.dtype == DType::kNone ? onnx_type_name(field.integer()) : "";
    } else if (field.number == 2) {
      out.fact.dims = read_shape(field.message(), limits);
    }
  }
}

void read_type(NamedFact& out, Bytes message, const ParseLimits& limits) {
  WireReader reader(message);
  Field field;
  while (reader.next(field)) {
    if (field.number == kTensorType) {
      read_tensor_type(out, field.message(), limits);
    } else if (const std::string_view kind = kind_of(field.number); !kind.empty()) {
      out.fact = {};
      out.unsupported = kind;
    }
  }
}

}  // namespace

std::string_view checked_name(std::string_view name, std::string_view what, const ParseLimits& limits) {
  if (static_cast<int64_t>(name.size()) > limits.max_name_bytes) {
    fail(Code::kLimit, what, " ", quote(name, 40), " has ", name.size(), " bytes, the limit is ",
         limits.max_name_bytes);
  }
  if (!is_utf8(name)) fail(Code::kModel, what, " ", quote(name), " is not UTF-8");
  if (name.find('\0') != std::string_view::npos) fail(Code::kModel, what, " ", quote(name), " holds NUL");
  return name;
}

NamedFact read_value_info(Bytes message, const ParseLimits& limits) {
  NamedFact out;
  try {
    WireReader reader(message);
    Field field;
    while (reader.next(field)) {
      if (field.number == 1) out.name = checked_name(field.text(), "value name", limits);
      if (field.number == 2) read_type(out, field.message(), limits);
    }
    return out;
  } catch (const Error& error) {
    throw error.at(concat("value ", quote(out.name)));
  }
}

}  // namespace slipway
