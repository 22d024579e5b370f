// The messages of onnx.proto that stand below a model, each read by one function. All throw Error.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "graph/graph.h"
#include "parse/external.h"
#include "parse/parse.h"
#include "parse/wire.h"

namespace slipway {

/// Refuses a name that is not UTF-8, holds NUL or is longer than the limit; `what` is "value name", ...
[[nodiscard]] std::string_view checked_name(std::string_view name, std::string_view what, const ParseLimits& limits);

/// Number of bytes that all constants of a model hold so far, the limit, and where those outside its file lie.
struct ConstantBudget {
  int64_t bytes = 0;
  int64_t limit = 0;
  const ExternalFiles* files = nullptr;  ///< null: nowhere
};

struct NamedTensor {
  std::string_view name;
  std::shared_ptr<const Tensor> tensor;
};

/// TensorProto: raw or typed data of every element type of the engine. Errors name the tensor.
[[nodiscard]] NamedTensor read_tensor(Bytes message, const ParseLimits& limits, ConstantBudget& budget);

/// The name of a TensorProto, which may stand last in it, not checked.
[[nodiscard]] std::string_view tensor_name(Bytes message);

/// `float32`, `float16`, ... of TensorProto.DataType, also for types that the engine does not have.
[[nodiscard]] std::string onnx_type_name(int64_t number);

struct NamedFact {
  std::string_view name;
  Fact fact;                ///< dtype kNone where the type is not a tensor of a type that the engine has
  std::string unsupported;  ///< then what it is instead
};

/// ValueInfoProto: name, element type and dimensions, which may be symbols.
[[nodiscard]] NamedFact read_value_info(Bytes message, const ParseLimits& limits);

/// Reads the GraphProto that an attribute holds.
using BodyReader = std::function<std::shared_ptr<const Graph>(Bytes)>;

/// AttributeProto: name and value. Sparse tensors, types and lists of tensors or graphs are refused.
[[nodiscard]] std::pair<std::string, Attribute> read_attribute(Bytes message, const ParseLimits& limits,
                                                               ConstantBudget& budget, const BodyReader& read_body);

/// The value of a Constant node, whose one attribute says it. Errors do not name the node.
[[nodiscard]] std::shared_ptr<const Tensor> constant_of(const Node& node);

/// Domain -> version that the model imports; "ai.onnx" is written "".
using Opsets = std::map<std::string, int64_t, std::less<>>;

/// GraphProto: values, nodes, inputs and outputs, checked; with the bodies of its nodes and what they capture.
void read_graph(Bytes message, const Opsets& opsets, const ParseLimits& limits, const ExternalFiles* files,
                Graph& graph);

/// Product of sizes that all ops may form: Error(kLimit) where the product of the sizes above zero leaves 2^48.
void check_sizes(std::span<const int64_t> sizes);

}  // namespace slipway
