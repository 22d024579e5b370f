// Graph::text(): one line per value that comes from outside, one per node, one per output. Stable: tests compare it.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "graph/graph.h"

namespace slipway {

namespace {

constexpr std::size_t kLongestList = 16;

// Names that a reader cannot mistake stand bare, all others in quotes.
void add_name(std::string& out, const std::string& name) {
  const bool is_plain = !name.empty() && name.size() <= 80 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '/' || c == ':';
  });
  out += is_plain ? name : quote(name);
}

void add_item(std::string& out, int64_t value) { append(out, value); }
void add_item(std::string& out, const std::string& value) { out += quote(value); }
// Nine significant digits tell every float32 from its neighbours, seventeen every float64.
void add_item(std::string& out, double value, int digits) {
  char text[40];  // printf() would write a comma where the locale has one
  const auto written = std::to_chars(text, text + sizeof text, value, std::chars_format::general, digits);
  out.append(text, written.ptr);
}
void add_item(std::string& out, float value) { add_item(out, static_cast<double>(value), 9); }
void add_item(std::string& out, double value) { add_item(out, value, 17); }

template <typename Get>
void add_list(std::string& out, std::size_t count, Get&& get) {
  out += '[';
  for (std::size_t i = 0; i < std::min(count, kLongestList); ++i) {
    if (i > 0) out += ", ";
    add_item(out, get(i));
  }
  if (count > kLongestList) append(out, ", ... ", count, " in all");
  out += ']';
}

void add_values(std::string& out, const Tensor& tensor) {
  const auto count = static_cast<std::size_t>(tensor.shape().count());
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return add_list(out, count, [&](std::size_t i) { return tensor.as<float>()[i]; });
    case DType::kFloat64:
      return add_list(out, count, [&](std::size_t i) { return tensor.as<double>()[i]; });
    case DType::kInt64:
      return add_list(out, count, [&](std::size_t i) { return tensor.as<int64_t>()[i]; });
    case DType::kInt32:
      return add_list(out, count, [&](std::size_t i) { return int64_t{tensor.as<int32_t>()[i]}; });
    case DType::kInt8:
      return add_list(out, count, [&](std::size_t i) { return int64_t{tensor.as<int8_t>()[i]}; });
    case DType::kUint8:
    case DType::kBool:
      return add_list(out, count, [&](std::size_t i) { return int64_t{tensor.as<uint8_t>()[i]}; });
    case DType::kNone:
      out += "[]";
  }
}

void add_tensor(std::string& out, const Tensor& tensor) {
  append(out, name_of(tensor.dtype()), " ", tensor.shape().text());
  if (tensor.shape().count() > static_cast<int64_t>(kLongestList)) return;
  out += " = ";
  add_values(out, tensor);
}

struct AddAttribute {
  std::string& out;

  void operator()(int64_t value) const { add_item(out, value); }
  void operator()(float value) const { add_item(out, value); }
  void operator()(const std::string& value) const { add_item(out, value); }
  template <typename T>
  void operator()(const std::vector<T>& list) const {
    add_list(out, list.size(), [&](std::size_t i) -> const T& { return list[i]; });
  }
  void operator()(const std::shared_ptr<const Tensor>& tensor) const { add_tensor(out, *tensor); }
  void operator()(const std::shared_ptr<const Graph>& body) const {
    append(out, "graph of ", body->nodes.size(), body->nodes.size() == 1 ? " node" : " nodes");
  }
};

void add_attributes(std::string& out, const Attributes& attributes) {
  std::string_view before = " {";
  for (const auto& [name, value] : attributes) {
    out += std::exchange(before, ", ");
    add_name(out, name);
    out += ": ";
    std::visit(AddAttribute{out}, value);
  }
  if (!attributes.empty()) out += '}';
}

void add_names(std::string& out, const Graph& graph, const std::vector<ValueId>& ids) {
  out += '(';
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) out += ", ";
    if (ids[i] == kNoValue) {
      out += '-';
    } else {
      add_name(out, graph.values[static_cast<std::size_t>(ids[i])].name);
    }
  }
  out += ')';
}

void add_facts(std::string& out, const Graph& graph, const std::vector<ValueId>& ids) {
  std::string_view before = " : ";
  for (const ValueId id : ids) {
    if (id == kNoValue) continue;
    const Fact& fact = graph.values[static_cast<std::size_t>(id)].fact;
    out += std::exchange(before, ", ");
    out += fact.dtype == DType::kNone ? "?" : fact.text();
  }
}

void add_node(std::string& out, const Graph& graph, const Node& node) {
  if (!node.domain.empty()) {
    add_name(out, node.domain);
    out += '.';
  }
  append(out, node.op, " ", quote(node.name), " ");
  add_names(out, graph, node.inputs);
  out += " -> ";
  add_names(out, graph, node.outputs);
  add_attributes(out, node.attributes);
  add_facts(out, graph, node.outputs);
  out += '\n';
}

std::vector<bool> used_values(const Graph& graph) {
  std::vector<bool> is_used(graph.values.size(), false);
  const auto use = [&](ValueId id) {
    if (id != kNoValue) is_used[static_cast<std::size_t>(id)] = true;
  };
  for (const Node& node : graph.nodes) std::for_each(node.inputs.begin(), node.inputs.end(), use);
  std::for_each(graph.outputs.begin(), graph.outputs.end(), use);
  return is_used;
}

// The bodies of a node stand below its line, deeper: every line of theirs begins with a wider margin.
void add_graph(std::string& out, const Graph& graph, const std::string& margin) {
  for (const ValueId id : graph.inputs) {
    append(out, margin, "input ");
    const Value& value = graph.values[static_cast<std::size_t>(id)];
    add_name(out, value.name);
    append(out, " : ", value.fact.text(), "\n");
  }
  const std::vector<bool> is_used = used_values(graph);
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    const Value& value = graph.values[i];
    if (!value.fact.constant || !is_used[i]) continue;
    append(out, margin, "constant ");
    add_name(out, value.name);
    out += " : ";
    add_tensor(out, *value.fact.constant);
    out += '\n';
  }
  append(out, margin, "nodes\n");
  for (const Node& node : graph.nodes) {
    append(out, margin, "  ");
    add_node(out, graph, node);
    for (const auto& [name, body] : node.bodies()) {
      append(out, margin, "    ");
      add_name(out, name);
      out += '\n';
      add_graph(out, *body, margin + "      ");
    }
  }
  for (const ValueId id : graph.outputs) {
    append(out, margin, "output ");
    add_name(out, graph.values[static_cast<std::size_t>(id)].name);
    add_facts(out, graph, {id});
    out += '\n';
  }
}

}  // namespace

std::string Graph::text() const {
  std::string out;
  add_graph(out, *this, "");
  return out;
}

}  // namespace slipway
