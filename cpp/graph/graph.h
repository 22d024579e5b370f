// The graph: values with facts, nodes in topological order. Changed only through patches (patch.h).
//
// The graph knows no operators: a node's `op` is a name, `row` is filled in by ops/table.h. A node may hold graphs of
// its own, its bodies; what they read of the graph around them are inputs of the node and of every body
// (docs/decisions/0004).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "graph/fact.h"

namespace slipway {

struct Graph;
struct OpRow;

/// Index of a value in Graph::values. kNoValue stands for an optional input or output that is absent.
using ValueId = int32_t;
inline constexpr ValueId kNoValue = -1;

using AttributeValue =
    std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>, std::vector<std::string>,
                 std::shared_ptr<const Tensor>, std::shared_ptr<const Graph>>;

/// An attribute's value. Tensors and bodies are shared, since passes copy nodes.
struct Attribute : AttributeValue {
  using AttributeValue::AttributeValue;
  /// Where memory ends in the middle, libstdc++'s own copy constructor destroys an alternative that was never made.
  Attribute(const Attribute& other) : AttributeValue() { AttributeValue::operator=(other); }
  Attribute(Attribute&&) noexcept = default;
  Attribute& operator=(const Attribute&) = default;
  Attribute& operator=(Attribute&&) noexcept = default;
  ~Attribute() = default;
};
using Attributes = std::map<std::string, Attribute, std::less<>>;

/// What an op computed once from a node's constants (packed weights), shared by every plan of the session.
struct NodeCache {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<const void>, std::less<>> entries;
};

struct Node {
  std::string op;      ///< ONNX operator name, for example "Conv"
  std::string domain;  ///< "" for ONNX, "slipway" for fused operators
  int64_t opset = 0;   ///< version of the domain that the model imports
  std::string name;    ///< the model's own name, or op and index
  Attributes attributes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  /// How many of the last inputs are captures: values that a body reads of the graph around it. Every body of the node
  /// ends its inputs with one for each of them, in the same order.
  int captures = 0;
  const OpRow* row = nullptr;
  std::shared_ptr<NodeCache> cache = std::make_shared<NodeCache>();

  /// `Conv "stem"`, safe to print.
  [[nodiscard]] std::string title() const;
  /// Inputs that the operator itself defines, without captures.
  [[nodiscard]] int own_inputs() const noexcept { return static_cast<int>(inputs.size()) - captures; }
  /// The graphs among the attributes, each with its attribute's name, in order of name.
  [[nodiscard]] std::vector<std::pair<std::string, std::shared_ptr<const Graph>>> bodies() const;
};

struct Value {
  std::string name;
  Fact fact;
};

struct Graph {
  std::vector<Value> values;
  std::vector<Node> nodes;      ///< topologically ordered
  std::vector<ValueId> inputs;  ///< without initializers
  std::vector<ValueId> outputs;
  std::map<std::string, std::string, std::less<>> metadata;

  /// Throws Error(kModel) where a node reads a value that nothing before it makes, or a value is made twice.
  void check() const;
  /// The stable text form of this stage (`slipway inspect --stage graph`).
  [[nodiscard]] std::string text() const;
};

}  // namespace slipway
