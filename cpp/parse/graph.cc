// GraphProto and NodeProto -> Graph.
//
// The message is walked once per kind of field, so that names are known in the order constants, inputs, nodes, outputs
// wherever they stand in the file, and nothing but the graph itself is held in memory.
#include <algorithm>

#include "base/error.h"
#include "parse/messages.h"

namespace slipway {

namespace {

// Field numbers of GraphProto.
enum : uint32_t {
  kNode = 1,
  kInitializer = 5,
  kInput = 11,
  kOutput = 12,
  kValueInfo = 13,
  kSparseInitializer = 15,
};
// Field numbers of NodeProto.
enum : uint32_t {
  kNodeInput = 1,
  kNodeOutput = 2,
  kNodeName = 3,
  kNodeOp = 4,
  kNodeAttribute = 5,
  kNodeDomain = 7,
  kNodeOverload = 8,
};

class GraphReader final {
 public:
  GraphReader(Bytes message, const Opsets& opsets, const ParseLimits& limits, Graph& graph)
      : message_(message), opsets_(opsets), limits_(limits), graph_(graph), budget_{0, limits.max_constant_bytes} {}

  void read() {
    each(kSparseInitializer, [&](Bytes sparse) { refuse_sparse(sparse); });
    each(kInitializer, [&](Bytes tensor) { add_initializer(tensor); });
    each(kInput, [&](Bytes value) { add_input(value); });
    each(kNode, [&](Bytes node) { add_node(node); });
    each(kOutput, [&](Bytes value) { add_output(value); });
    each(kValueInfo, [&](Bytes value) { add_stated_fact(value); });
    if (graph_.outputs.empty()) fail(Code::kModel, "the graph has no outputs");
    graph_.check();
  }

 private:
  template <typename Visit>
  void each(uint32_t number, Visit&& visit) const {
    WireReader reader(message_);
    Field field;
    while (reader.next(field)) {
      if (field.number == number) visit(field.message());
    }
  }

  [[noreturn]] void refuse_sparse(Bytes sparse) const {
    WireReader reader(sparse);
    Field field;
    std::string name;
    while (reader.next(field)) {
      if (field.number == 1) name = " " + quote(tensor_name(field.message()));
    }
    fail(Code::kUnsupported, "sparse initializer", name, " is not supported; store it as a dense tensor");
  }

  ValueId id_of(std::string_view name) {
    const auto found = ids_.find(name);
    if (found != ids_.end()) return found->second;
    if (static_cast<int64_t>(graph_.values.size()) >= limits_.max_values) {
      fail(Code::kLimit, "the graph has more than ", limits_.max_values, " values");
    }
    const auto id = static_cast<ValueId>(graph_.values.size());
    graph_.values.push_back({std::string(name), {}});
    ids_.emplace(name, id);
    return id;
  }

  Fact& fact_of(ValueId id) { return graph_.values[static_cast<std::size_t>(id)].fact; }

  [[nodiscard]] bool is_input(ValueId id) const {
    return static_cast<std::size_t>(id) < is_input_.size() && is_input_[static_cast<std::size_t>(id)];
  }

  void add_initializer(Bytes message) {
    NamedTensor named = read_tensor(message, limits_, budget_);
    if (named.name.empty()) fail(Code::kModel, "an initializer has no name");
    if (ids_.contains(named.name)) fail(Code::kModel, "initializer ", quote(named.name), " stands twice");
    fact_of(id_of(named.name)) = Fact::of(std::move(named.tensor));
  }

  static void require_type(const NamedFact& stated, std::string_view what) {
    if (!stated.unsupported.empty()) {
      fail(Code::kUnsupported, what, " ", quote(stated.name), " is ", stated.unsupported,
           ", supported are tensors of float32, float64, int64, int32, int8, uint8 and bool");
    }
  }

  // An initializer that is also listed as an input (as IR versions below 4 demand) is a constant here.
  void add_input(Bytes message) {
    NamedFact stated = read_value_info(message, limits_);
    if (stated.name.empty()) fail(Code::kModel, "an input of the graph has no name");
    const ValueId id = id_of(stated.name);
    if (fact_of(id).constant) return;
    if (is_input(id)) fail(Code::kModel, "graph input ", quote(stated.name), " stands twice");
    require_type(stated, "graph input");
    if (stated.fact.dtype == DType::kNone) fail(Code::kModel, "graph input ", quote(stated.name), " has no type");
    fact_of(id) = std::move(stated.fact);
    is_input_.resize(graph_.values.size(), false);
    is_input_[static_cast<std::size_t>(id)] = true;
    graph_.inputs.push_back(id);
  }

  void add_output(Bytes message) {
    const NamedFact stated = read_value_info(message, limits_);
    if (stated.name.empty()) fail(Code::kModel, "an output of the graph has no name");
    require_type(stated, "graph output");
    const ValueId id = id_of(stated.name);
    is_output_.resize(graph_.values.size(), false);
    if (is_output_[static_cast<std::size_t>(id)]) {
      fail(Code::kModel, "graph output ", quote(stated.name), " stands twice");
    }
    is_output_[static_cast<std::size_t>(id)] = true;
    graph_.outputs.push_back(id);
    state(id, stated.fact);
  }

  void add_stated_fact(Bytes message) {
    const NamedFact stated = read_value_info(message, limits_);
    const auto found = ids_.find(stated.name);
    if (found != ids_.end()) state(found->second, stated.fact);
  }

  // What the file says of a value that a node makes; inputs and constants are known better.
  void state(ValueId id, const Fact& fact) {
    if (!fact_of(id).constant && !is_input(id)) fact_of(id) = fact;
  }

  void read_node_field(Node& node, const Field& field) {
    switch (field.number) {
      case kNodeInput:
      case kNodeOutput: {
        const std::string_view name = checked_name(field.text(), "value name", limits_);
        (field.number == kNodeInput ? node.inputs : node.outputs).push_back(name.empty() ? kNoValue : id_of(name));
        return;
      }
      case kNodeAttribute: {
        auto [name, value] = read_attribute(field.message(), limits_, budget_);
        if (!node.attributes.emplace(name, std::move(value)).second) {
          fail(Code::kModel, "attribute ", quote(name), " stands twice");
        }
        return;
      }
      case kNodeOverload:
        if (!field.text().empty()) fail(Code::kUnsupported, "calls an overloaded function, which is not supported");
        return;
      default:
        return;
    }
  }

  // Name, operator and domain first, so that errors about the rest can name the node.
  void read_node_names(Node& node, Bytes message) {
    WireReader reader(message);
    Field field;
    while (reader.next(field)) {
      if (field.number == kNodeName) node.name = checked_name(field.text(), "node name", limits_);
      if (field.number == kNodeDomain) node.domain = checked_name(field.text(), "domain", limits_);
      if (field.number != kNodeOp) continue;
      const std::string_view op = checked_name(field.text(), "operator", limits_);
      if (!std::all_of(op.begin(), op.end(), [](char c) { return c > 0x20 && c < 0x7F && c != '"'; })) {
        fail(Code::kModel, "operator ", quote(op), " is not an identifier");
      }
      node.op = op;
    }
    if (node.op.empty()) fail(Code::kModel, "node ", quote(node.name), " has no operator");
    if (node.name.empty()) node.name = concat(node.op, "_", node_index_);
    if (node.domain == "ai.onnx") node.domain.clear();
  }

  void set_opset(Node& node) const {
    if (node.domain == "slipway") {
      fail(Code::kModel, "domain \"slipway\" is the engine's own; a file cannot use it");
    }
    const auto found = opsets_.find(node.domain);
    if (found == opsets_.end()) {
      fail(Code::kModel, "domain ", quote(node.domain), " is not among the opsets that the model imports");
    }
    node.opset = found->second;
  }

  void add_node(Bytes message) {
    if (node_index_ == limits_.max_nodes) fail(Code::kLimit, "the graph has more than ", limits_.max_nodes, " nodes");
    Node node;
    read_node_names(node, message);
    ++node_index_;
    try {
      set_opset(node);
      WireReader reader(message);
      Field field;
      while (reader.next(field)) read_node_field(node, field);
      if (node.outputs.empty()) fail(Code::kModel, "has no outputs");
      if (node.op == "Constant" && node.domain.empty()) return add_constant(node);
    } catch (const Error& error) {
      throw error.at(node.title());
    }
    graph_.nodes.push_back(std::move(node));
  }

  void add_constant(const Node& node) {
    std::shared_ptr<const Tensor> value = constant_of(node);
    const ValueId id = node.outputs.front();
    if (id == kNoValue) return;
    if (fact_of(id).constant || is_input(id)) {
      fail(Code::kModel, "makes value ", quote(graph_.values[static_cast<std::size_t>(id)].name),
           ", which is already there");
    }
    fact_of(id) = Fact::of(std::move(value));
  }

  Bytes message_;
  const Opsets& opsets_;
  const ParseLimits& limits_;
  Graph& graph_;
  ConstantBudget budget_;
  std::map<std::string_view, ValueId> ids_;  // an ordered map: no hostile choice of names makes it slow
  std::vector<bool> is_input_;
  std::vector<bool> is_output_;
  int64_t node_index_ = 0;
};

}  // namespace

void read_graph(Bytes message, const Opsets& opsets, const ParseLimits& limits, Graph& graph) {
  GraphReader(message, opsets, limits, graph).read();
}

}  // namespace slipway
