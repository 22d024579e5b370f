// Graph::text(): one line per value that comes from outside, one per node, one per output. Stable: tests compare it.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "graph/graph.h"

namespace slipway {

namespace {

constexpr std::size_t kLongestList = 16;

// Names that a reader cannot mistake stand bare, all others in quotes.
std::string name_text(const std::string& name) {
  const bool is_plain = !name.empty() && name.size() <= 80 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '/' || c == ':';
  });
  return is_plain ? name : quote(name);
}

std::string item_text(int64_t value) { return std::to_string(value); }
std::string item_text(const std::string& value) { return quote(value); }
// Nine significant digits tell every float32 from its neighbours, seventeen every float64.
std::string item_text(double value, int digits) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}
std::string item_text(float value) { return item_text(static_cast<double>(value), 9); }
std::string item_text(double value) { return item_text(value, 17); }

template <typename Get>
std::string list_text(std::size_t count, Get&& get) {
  std::string out = "[";
  for (std::size_t i = 0; i < std::min(count, kLongestList); ++i) out += concat(i > 0 ? ", " : "", item_text(get(i)));
  return out + (count > kLongestList ? concat(", ... ", count, " in all]") : "]");
}

std::string value_text(const Tensor& tensor) {
  const auto count = static_cast<std::size_t>(tensor.shape().count());
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return list_text(count, [&](std::size_t i) { return tensor.as<float>()[i]; });
    case DType::kFloat64:
      return list_text(count, [&](std::size_t i) { return tensor.as<double>()[i]; });
    case DType::kInt64:
      return list_text(count, [&](std::size_t i) { return tensor.as<int64_t>()[i]; });
    case DType::kInt32:
      return list_text(count, [&](std::size_t i) { return int64_t{tensor.as<int32_t>()[i]}; });
    case DType::kInt8:
      return list_text(count, [&](std::size_t i) { return int64_t{tensor.as<int8_t>()[i]}; });
    case DType::kUint8:
    case DType::kBool:
      return list_text(count, [&](std::size_t i) { return int64_t{tensor.as<uint8_t>()[i]}; });
    case DType::kNone:
      break;
  }
  return "[]";
}

std::string constant_text(const Tensor& tensor) {
  return tensor.shape().count() <= static_cast<int64_t>(kLongestList) ? " = " + value_text(tensor) : "";
}

struct AttributeText {
  std::string operator()(int64_t value) const { return item_text(value); }
  std::string operator()(float value) const { return item_text(value); }
  std::string operator()(const std::string& value) const { return item_text(value); }
  template <typename T>
  std::string operator()(const std::vector<T>& list) const {
    return list_text(list.size(), [&](std::size_t i) { return list[i]; });
  }
  std::string operator()(const std::shared_ptr<const Tensor>& tensor) const {
    return concat(name_of(tensor->dtype()), " ", tensor->shape().text(), constant_text(*tensor));
  }
  std::string operator()(const std::shared_ptr<const Graph>& body) const {
    return concat("graph of ", body->nodes.size(), body->nodes.size() == 1 ? " node" : " nodes");
  }
};

std::string attributes_text(const Attributes& attributes) {
  std::string out;
  for (const auto& [name, value] : attributes) {
    out += concat(out.empty() ? " {" : ", ", name_text(name), ": ", std::visit(AttributeText(), value));
  }
  return out.empty() ? out : out + "}";
}

std::string values_text(const Graph& graph, const std::vector<ValueId>& ids) {
  std::string out = "(";
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) out += ", ";
    out += ids[i] == kNoValue ? "-" : name_text(graph.values[static_cast<std::size_t>(ids[i])].name);
  }
  return out + ")";
}

std::string facts_text(const Graph& graph, const std::vector<ValueId>& ids) {
  std::string out;
  for (const ValueId id : ids) {
    if (id == kNoValue) continue;
    const Fact& fact = graph.values[static_cast<std::size_t>(id)].fact;
    out += concat(out.empty() ? " : " : ", ", fact.dtype == DType::kNone ? "?" : fact.text());
  }
  return out;
}

std::string node_text(const Graph& graph, const Node& node) {
  const std::string domain = node.domain.empty() ? "" : name_text(node.domain) + ".";
  return concat("  ", domain, node.op, " ", quote(node.name), " ", values_text(graph, node.inputs), " -> ",
                values_text(graph, node.outputs), attributes_text(node.attributes), facts_text(graph, node.outputs),
                "\n");
}

std::string indented(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at) + 1;
    out += concat("      ", text.substr(at, end - at));
    at = end;
  }
  return out;
}

// The bodies of a node stand below its line, deeper.
std::string bodies_text(const Node& node) {
  std::string out;
  for (const auto& [name, body] : node.bodies()) out += concat("    ", name_text(name), "\n", indented(body->text()));
  return out;
}

}  // namespace

std::string Graph::text() const {
  std::string out;
  for (const ValueId id : inputs) {
    const Value& value = values[static_cast<std::size_t>(id)];
    out += concat("input ", name_text(value.name), " : ", value.fact.text(), "\n");
  }
  std::vector<bool> is_used(values.size(), false);
  const auto use = [&](ValueId id) {
    if (id != kNoValue) is_used[static_cast<std::size_t>(id)] = true;
  };
  for (const Node& node : nodes) std::for_each(node.inputs.begin(), node.inputs.end(), use);
  std::for_each(outputs.begin(), outputs.end(), use);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Value& value = values[i];
    if (!value.fact.constant || !is_used[i]) continue;
    out += concat("constant ", name_text(value.name), " : ", name_of(value.fact.dtype), " ",
                  value.fact.constant->shape().text(), constant_text(*value.fact.constant), "\n");
  }
  out += "nodes\n";
  for (const Node& node : nodes) out += node_text(*this, node) + bodies_text(node);
  for (const ValueId id : outputs) {
    const Value& value = values[static_cast<std::size_t>(id)];
    out += concat("output ", name_text(value.name), facts_text(*this, {id}), "\n");
  }
  return out;
}

}  // namespace slipway
