// Writes ONNX models for tests, right ones and wrong ones: the wire format, and the messages of onnx.proto that the
// reader knows. Nothing is checked.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parse/parse.h"

namespace slipway::check {

/// One protobuf message, grown field by field.
struct Message {
  std::string bytes;

  Message& varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
    bytes += static_cast<char>(value);
    return *this;
  }
  Message& tag(uint32_t field, int wire_type) {
    return varint(uint64_t{field} << 3 | static_cast<uint64_t>(wire_type));
  }
  Message& number(uint32_t field, int64_t value) { return tag(field, 0).varint(static_cast<uint64_t>(value)); }
  Message& text(uint32_t field, std::string_view value) {
    tag(field, 2).varint(value.size());
    bytes += value;
    return *this;
  }
  Message& message(uint32_t field, const Message& inner) { return text(field, inner.bytes); }
  Message& real(uint32_t field, float value) {
    char raw[4];
    std::memcpy(raw, &value, 4);
    tag(field, 5);
    bytes.append(raw, 4);
    return *this;
  }
};

template <typename T>
std::string raw_bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

inline Message tensor(std::string_view name, int64_t type, const std::vector<int64_t>& dims, std::string_view raw) {
  Message out;
  for (const int64_t size : dims) out.number(1, size);
  return out.number(2, type).text(8, name).text(9, raw);
}
inline Message floats(std::string_view name, const std::vector<int64_t>& dims, const std::vector<float>& values) {
  return tensor(name, 1, dims, raw_bytes(values));
}
inline Message ints(std::string_view name, const std::vector<int64_t>& dims, const std::vector<int64_t>& values) {
  return tensor(name, 7, dims, raw_bytes(values));
}

inline Message attribute(std::string_view name, int64_t value) {
  return Message().text(1, name).number(3, value).number(20, 2);
}
inline Message attribute(std::string_view name, float value) {
  return Message().text(1, name).real(2, value).number(20, 1);
}
inline Message attribute(std::string_view name, const std::string& value) {
  return Message().text(1, name).text(4, value).number(20, 3);
}
inline Message attribute(std::string_view name, const std::vector<int64_t>& values) {
  Message out = Message().text(1, name).number(20, 7);
  for (const int64_t value : values) out.number(8, value);
  return out;
}

inline Message node(std::string_view op, const std::vector<std::string>& inputs,
                    const std::vector<std::string>& outputs, const std::vector<Message>& attributes = {},
                    std::string_view name = "") {
  Message out;
  for (const std::string& input : inputs) out.text(1, input);
  for (const std::string& output : outputs) out.text(2, output);
  out.text(4, op).text(3, name.empty() ? outputs.front() : name);
  for (const Message& item : attributes) out.message(5, item);
  return out;
}

/// A ValueInfoProto; a dimension that does not begin with a digit or a minus is a symbol.
inline Message value(std::string_view name, const std::vector<std::string>& dims, int64_t type = 1) {
  Message shape;
  for (const std::string& dim : dims) {
    const bool is_number = dim.find_first_of("-0123456789") == 0;
    shape.message(1, is_number ? Message().number(1, std::stoll(dim)) : Message().text(2, dim));
  }
  const Message kind = Message().number(1, type).message(2, shape);
  return Message().text(1, name).message(2, Message().message(1, kind));
}

struct Model {
  std::vector<Message> nodes;
  std::vector<Message> initializers;
  std::vector<Message> inputs;
  std::vector<Message> outputs;
  int64_t opset = 20;
  int64_t ir_version = 8;
  Message graph_extra;  ///< more fields of the graph
  Message extra;        ///< more fields of the model

  [[nodiscard]] Message graph() const {
    Message out;
    for (const Message& item : nodes) out.message(1, item);
    for (const Message& item : initializers) out.message(5, item);
    for (const Message& item : inputs) out.message(11, item);
    for (const Message& item : outputs) out.message(12, item);
    out.bytes += graph_extra.bytes;
    return out;
  }

  [[nodiscard]] std::string bytes() const {
    const Message import = Message().text(1, "").number(2, opset);
    return Message().number(1, ir_version).message(7, graph()).message(8, import).bytes + extra.bytes;
  }
};

/// A body, of which only the graph is written.
inline Message attribute(std::string_view name, const Model& body) {
  return Message().text(1, name).message(6, body.graph()).number(20, 5);
}

/// The body of a Loop with one state float32 [N]: inputs i, c and s, outputs c and `made`.
inline Model step(std::vector<Message> nodes, std::string_view made) {
  Model body;
  body.inputs = {value("i", {}, 7), value("c", {}, 9), value("s", {"N"})};
  body.nodes = std::move(nodes);
  body.outputs = {value("c", {}, 9), value(made, {"N"})};
  return body;
}

[[nodiscard]] inline Graph parse_text(std::string_view bytes, const ParseLimits& limits = {}) {
  return parse(std::as_bytes(std::span(bytes)), limits);
}
[[nodiscard]] inline Graph parse_model(const Model& model, const ParseLimits& limits = {}) {
  return parse_text(model.bytes(), limits);
}

}  // namespace slipway::check
