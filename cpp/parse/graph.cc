// GraphProto and NodeProto -> Graph, and the graphs inside it: the bodies of its nodes.
//
// The message is walked once per kind of field, so that names are known in the order constants, inputs, nodes, outputs
// wherever they stand in the file, and nothing but the graph itself is held in memory.
#include <algorithm>
#include <utility>

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

// What all graphs of a model share while they are read, and how much of each limit is used.
struct Reading {
  const Opsets& opsets;
  const ParseLimits& limits;
  ConstantBudget budget;
  int64_t nodes = 0;
  int64_t values = 0;
};

// What the bodies of one node read of the graph around them, in the order in which it is first met.
struct Captures {
  std::vector<ValueId> outer;
  std::map<ValueId, std::size_t> places;
};

class GraphReader final {
 public:
  GraphReader(Bytes message, Reading& reading, Graph& graph)
      : message_(message), reading_(reading), limits_(reading.limits), graph_(graph) {}
  // Of a body: `outer` reads the graph around it.
  GraphReader(Bytes message, Graph& graph, GraphReader& outer, Captures& captures)
      : message_(message),
        reading_(outer.reading_),
        limits_(outer.limits_),
        graph_(graph),
        outer_(&outer),
        captures_(&captures),
        depth_(outer.depth_ + 1) {
    if (depth_ > limits_.max_depth) fail(Code::kLimit, "graphs stand more than ", limits_.max_depth, " deep in others");
  }

  void read() {
    each(kSparseInitializer, [&](Bytes sparse) { refuse_sparse(sparse); });
    each(kInitializer, [&](Bytes tensor) { add_initializer(tensor); });
    each(kInput, [&](Bytes value) { add_input(value); });
    each(kNode, [&](Bytes node) { add_node(node); });
    each(kOutput, [&](Bytes value) { add_output(value); });
    each(kValueInfo, [&](Bytes value) { add_stated_fact(value); });
    if (graph_.outputs.empty()) fail(Code::kModel, "the graph has no outputs");
  }

  // Gives a body its last inputs, one for each capture of its node.
  void add_captures(const std::vector<Value>& outer_values) {
    std::vector<ValueId> own(captures_->outer.size(), kNoValue);
    for (const auto& [place, id] : captured_) own[place] = id;
    for (std::size_t i = 0; i < own.size(); ++i) {
      const auto from = static_cast<std::size_t>(captures_->outer[i]);
      graph_.inputs.push_back(own[i] != kNoValue ? own[i] : add_value(outer_values[from].name));
    }
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

  ValueId add_value(std::string_view name) {
    if (reading_.values >= limits_.max_values) {
      fail(Code::kLimit, "the graph has more than ", limits_.max_values, " values");
    }
    ++reading_.values;
    graph_.values.push_back({std::string(name), {}});
    is_made_.push_back(false);
    return static_cast<ValueId>(graph_.values.size() - 1);
  }

  ValueId id_of(std::string_view name) {
    const auto found = ids_.find(name);
    if (found != ids_.end()) return found->second;
    const ValueId id = add_value(name);
    ids_.emplace(name, id);
    return id;
  }

  // A name that is read: of this graph, or of one around it where that has made it by now.
  ValueId read_id(std::string_view name) {
    if (ids_.contains(name) || outer_ == nullptr) return id_of(name);
    const ValueId outer = outer_->visible(name);
    return outer == kNoValue ? id_of(name) : capture(name, outer);
  }

  // Where a body may read that name here: its value, which this graph itself captures if need be.
  ValueId visible(std::string_view name) {
    const auto found = ids_.find(name);
    if (found != ids_.end() && is_made_[static_cast<std::size_t>(found->second)]) return found->second;
    const ValueId outer = outer_ == nullptr ? kNoValue : outer_->visible(name);
    return outer == kNoValue ? kNoValue : capture(name, outer);
  }

  [[nodiscard]] bool is_visible(std::string_view name) const {
    const auto found = ids_.find(name);
    if (found != ids_.end() && is_made_[static_cast<std::size_t>(found->second)]) return true;
    return outer_ != nullptr && outer_->is_visible(name);
  }

  ValueId capture(std::string_view name, ValueId outer) {
    const ValueId id = id_of(name);
    is_made_[static_cast<std::size_t>(id)] = true;
    fact_of(id) = outer_->fact_of(outer);
    if (fact_of(id).constant) return id;
    set_input(id);
    const auto [found, is_new] = captures_->places.try_emplace(outer, captures_->outer.size());
    if (is_new) captures_->outer.push_back(outer);
    captured_.emplace_back(found->second, id);
    return id;
  }

  void set_input(ValueId id) {
    is_input_.resize(graph_.values.size(), false);
    is_input_[static_cast<std::size_t>(id)] = true;
    is_made_[static_cast<std::size_t>(id)] = true;
  }

  Fact& fact_of(ValueId id) { return graph_.values[static_cast<std::size_t>(id)].fact; }

  [[nodiscard]] bool is_input(ValueId id) const {
    return static_cast<std::size_t>(id) < is_input_.size() && is_input_[static_cast<std::size_t>(id)];
  }

  void add_initializer(Bytes message) {
    NamedTensor named = read_tensor(message, limits_, reading_.budget);
    if (named.name.empty()) fail(Code::kModel, "an initializer has no name");
    if (ids_.contains(named.name)) fail(Code::kModel, "initializer ", quote(named.name), " stands twice");
    const ValueId id = id_of(named.name);
    fact_of(id) = Fact::of(std::move(named.tensor));
    is_made_[static_cast<std::size_t>(id)] = true;
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
    // A body's input may leave its type to what its node gives it.
    if (stated.fact.dtype == DType::kNone && outer_ == nullptr) {
      fail(Code::kModel, "graph input ", quote(stated.name), " has no type");
    }
    fact_of(id) = std::move(stated.fact);
    set_input(id);
    graph_.inputs.push_back(id);
  }

  void add_output(Bytes message) {
    const NamedFact stated = read_value_info(message, limits_);
    if (stated.name.empty()) fail(Code::kModel, "an output of the graph has no name");
    require_type(stated, "graph output");
    const ValueId id = read_id(stated.name);
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

  // A body of a node that is being read; its captures are complete only when all bodies of the node are read.
  struct Body {
    std::shared_ptr<Graph> graph;
    std::unique_ptr<GraphReader> reader;
  };

  std::shared_ptr<const Graph> read_body(Bytes message, Captures& captures, std::vector<Body>& bodies) {
    // No operator has more than two; more would share captures without end.
    if (bodies.size() == 2) fail(Code::kModel, "is the node's third graph, more than two stand in no operator");
    auto graph = std::make_shared<Graph>();
    auto reader = std::make_unique<GraphReader>(message, *graph, *this, captures);
    reader->read();
    bodies.push_back({graph, std::move(reader)});
    return graph;
  }

  void add_captures(Node& node, const Captures& captures, const std::vector<Body>& bodies) {
    for (const Body& body : bodies) {
      body.reader->add_captures(graph_.values);
      body.graph->check();
    }
    node.inputs.insert(node.inputs.end(), captures.outer.begin(), captures.outer.end());
    node.captures = static_cast<int>(captures.outer.size());
  }

  ValueId make_id(std::string_view name) {
    if (outer_ != nullptr && outer_->is_visible(name)) {
      fail(Code::kModel, "makes value ", quote(name), ", which the graph around it has already");
    }
    return id_of(name);
  }

  void read_node_field(Node& node, const Field& field, const BodyReader& read_body) {
    switch (field.number) {
      case kNodeInput: {
        const std::string_view name = checked_name(field.text(), "value name", limits_);
        node.inputs.push_back(name.empty() ? kNoValue : read_id(name));
        return;
      }
      case kNodeOutput: {
        const std::string_view name = checked_name(field.text(), "value name", limits_);
        node.outputs.push_back(name.empty() ? kNoValue : make_id(name));
        return;
      }
      case kNodeAttribute: {
        auto [name, value] = read_attribute(field.message(), limits_, reading_.budget, read_body);
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
    const auto found = reading_.opsets.find(node.domain);
    if (found == reading_.opsets.end()) {
      fail(Code::kModel, "domain ", quote(node.domain), " is not among the opsets that the model imports");
    }
    node.opset = found->second;
  }

  void add_node(Bytes message) {
    if (reading_.nodes == limits_.max_nodes) {
      fail(Code::kLimit, "the graph has more than ", limits_.max_nodes, " nodes");
    }
    Node node;
    read_node_names(node, message);
    ++reading_.nodes;
    ++node_index_;
    try {
      set_opset(node);
      read_node_fields(node, message);
      if (node.outputs.empty()) fail(Code::kModel, "has no outputs");
      if (node.op == "Constant" && node.domain.empty()) return add_constant(node);
    } catch (const Error& error) {
      throw error.at(node.title());
    }
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) is_made_[static_cast<std::size_t>(id)] = true;
    }
    graph_.nodes.push_back(std::move(node));
  }

  void read_node_fields(Node& node, Bytes message) {
    Captures captures;
    std::vector<Body> bodies;
    const BodyReader read = [&](Bytes body) { return read_body(body, captures, bodies); };
    WireReader reader(message);
    Field field;
    while (reader.next(field)) read_node_field(node, field, read);
    add_captures(node, captures, bodies);
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
    is_made_[static_cast<std::size_t>(id)] = true;
  }

  Bytes message_;
  Reading& reading_;
  const ParseLimits& limits_;
  Graph& graph_;
  GraphReader* outer_ = nullptr;
  Captures* captures_ = nullptr;
  int depth_ = 0;
  std::vector<std::pair<std::size_t, ValueId>> captured_;  // place in captures_ and the value here
  std::map<std::string_view, ValueId> ids_;                // an ordered map: no hostile choice of names makes it slow
  std::vector<bool> is_made_;  // by value: constants, inputs, and what a node before has made
  std::vector<bool> is_input_;
  std::vector<bool> is_output_;
  int64_t node_index_ = 0;
};

}  // namespace

void read_graph(Bytes message, const Opsets& opsets, const ParseLimits& limits, const ExternalFiles* files,
                Graph& graph) {
  Reading reading{opsets, limits, {0, limits.max_constant_bytes, files}};
  GraphReader(message, reading, graph).read();
  graph.check();
}

}  // namespace slipway
