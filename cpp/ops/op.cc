// Attribute access, checks and broadcasting shared by all operators.
#include "ops/op.h"

#include <algorithm>
#include <type_traits>

namespace slipway {

namespace {

template <typename T>
constexpr std::string_view kKind = "unknown";
template <>
constexpr std::string_view kKind<int64_t> = "an int";
template <>
constexpr std::string_view kKind<float> = "a float";
template <>
constexpr std::string_view kKind<std::string> = "a string";
template <>
constexpr std::string_view kKind<std::vector<int64_t>> = "a list of ints";
template <>
constexpr std::string_view kKind<std::vector<float>> = "a list of floats";
template <>
constexpr std::string_view kKind<std::vector<std::string>> = "a list of strings";
template <>
constexpr std::string_view kKind<std::shared_ptr<const Tensor>> = "a tensor";
template <>
constexpr std::string_view kKind<std::shared_ptr<const Graph>> = "a graph";

// An empty list has no type in the file, so it stands for every kind of list.
template <typename T>
const T* find(const Node& node, std::string_view name) {
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end()) return nullptr;
  if (const T* value = std::get_if<T>(&found->second)) return value;
  fail(Code::kModel, "attribute ", name, " must be ", kKind<T>);
}

// Attributes of ONNX that are no int; a name has one kind in all operators.
struct NamedKind {
  std::string_view name;
  Attribute kind;
};

std::size_t kind_of(std::string_view name) {
  static const NamedKind kinds[] = {
      {"activation_alpha", std::vector<float>()},
      {"activation_beta", std::vector<float>()},
      {"activations", std::vector<std::string>()},
      {"alpha", 0.0F},
      {"approximate", std::string()},
      {"auto_pad", std::string()},
      {"axes", std::vector<int64_t>()},
      {"beta", 0.0F},
      {"body", std::shared_ptr<const Graph>()},
      {"clip", 0.0F},
      {"coordinate_transformation_mode", std::string()},
      {"cubic_coeff_a", 0.0F},
      {"dilations", std::vector<int64_t>()},
      {"direction", std::string()},
      {"else_branch", std::shared_ptr<const Graph>()},
      {"epsilon", 0.0F},
      {"extrapolation_value", 0.0F},
      {"gamma", 0.0F},
      {"keep_aspect_ratio_policy", std::string()},
      {"kernel_shape", std::vector<int64_t>()},
      {"mode", std::string()},
      {"momentum", 0.0F},
      {"nearest_mode", std::string()},
      {"output_padding", std::vector<int64_t>()},
      {"output_shape", std::vector<int64_t>()},
      {"pads", std::vector<int64_t>()},
      {"perm", std::vector<int64_t>()},
      {"reduction", std::string()},
      {"round_mode", std::string()},
      {"scan_input_axes", std::vector<int64_t>()},
      {"scan_input_directions", std::vector<int64_t>()},
      {"scan_output_axes", std::vector<int64_t>()},
      {"scan_output_directions", std::vector<int64_t>()},
      {"strides", std::vector<int64_t>()},
      {"then_branch", std::shared_ptr<const Graph>()},
      {"value", std::shared_ptr<const Tensor>()},
      {"value_float", 0.0F},
      {"value_floats", std::vector<float>()},
      {"value_ints", std::vector<int64_t>()},
  };
  const auto found =
      std::find_if(std::begin(kinds), std::end(kinds), [&](const NamedKind& k) { return k.name == name; });
  return found == std::end(kinds) ? Attribute(int64_t{0}).index() : found->kind.index();
}

bool is_empty_list(const Attribute& value) {
  return std::visit(
      [](const auto& held) {
        if constexpr (requires { held.empty(); } && !std::is_same_v<std::decay_t<decltype(held)>, std::string>) {
          return held.empty();
        }
        return false;
      },
      static_cast<const AttributeValue&>(value));
}

constexpr std::string_view kKinds[] = {kKind<int64_t>,
                                       kKind<float>,
                                       kKind<std::string>,
                                       kKind<std::vector<int64_t>>,
                                       kKind<std::vector<float>>,
                                       kKind<std::vector<std::string>>,
                                       kKind<std::shared_ptr<const Tensor>>,
                                       kKind<std::shared_ptr<const Graph>>};

// At load, whoever reads the attribute later.
void check_kind(const std::string& name, const Attribute& value) {
  const std::size_t kind = kind_of(name);
  if (value.index() == kind || is_empty_list(value)) return;
  fail(Code::kModel, "attribute ", name, " must be ", kKinds[kind], ", it is ", kKinds[value.index()]);
}

std::vector<int64_t> integers_of(const Tensor& tensor) {
  const auto count = static_cast<std::size_t>(tensor.shape().count());
  std::vector<int64_t> out(count);
  if (tensor.dtype() == DType::kInt64) {
    std::copy_n(tensor.as<int64_t>(), count, out.begin());
  } else if (tensor.dtype() == DType::kInt32) {
    std::copy_n(tensor.as<int32_t>(), count, out.begin());
  } else {
    fail(Code::kModel, "an input that holds sizes or indices has type ", name_of(tensor.dtype()),
         ", expected int64 or int32");
  }
  return out;
}

}  // namespace

bool NodeReader::has_attribute(std::string_view name) const { return node_.attributes.contains(name); }

int64_t NodeReader::get_int(std::string_view name, int64_t otherwise) const {
  const auto* value = find<int64_t>(node_, name);
  return value != nullptr ? *value : otherwise;
}

int64_t NodeReader::get_int_in(std::string_view name, int64_t otherwise, int64_t low, int64_t high) const {
  const int64_t value = get_int(name, otherwise);
  if (value < low || value > high) {
    fail(Code::kModel, "attribute ", name, " is ", value, ", expected ", low, " to ", high);
  }
  return value;
}

int64_t NodeReader::require_int(std::string_view name) const {
  if (!has_attribute(name)) fail(Code::kModel, "attribute ", name, " is missing");
  return get_int(name, 0);
}

float NodeReader::get_float(std::string_view name, float otherwise) const {
  const auto* value = find<float>(node_, name);
  return value != nullptr ? *value : otherwise;
}

std::string NodeReader::get_string(std::string_view name, std::string_view otherwise) const {
  const auto* value = find<std::string>(node_, name);
  return value != nullptr ? *value : std::string(otherwise);
}

std::vector<int64_t> NodeReader::get_ints(std::string_view name, std::vector<int64_t> otherwise) const {
  const auto* value = find<std::vector<int64_t>>(node_, name);
  if (value == nullptr) return otherwise;
  return *value;
}

std::vector<float> NodeReader::get_floats(std::string_view name, std::vector<float> otherwise) const {
  const auto* value = find<std::vector<float>>(node_, name);
  if (value == nullptr) return otherwise;
  return *value;
}

std::vector<std::string> NodeReader::get_strings(std::string_view name) const {
  const auto* value = find<std::vector<std::string>>(node_, name);
  return value != nullptr ? *value : std::vector<std::string>{};
}

std::shared_ptr<const Tensor> NodeReader::get_tensor(std::string_view name) const {
  const auto* value = find<std::shared_ptr<const Tensor>>(node_, name);
  return value != nullptr ? *value : nullptr;
}

const Graph& NodeReader::require_body(std::string_view name) const {
  const auto* value = find<std::shared_ptr<const Graph>>(node_, name);
  if (value == nullptr) fail(Code::kModel, "attribute ", name, " is missing");
  return **value;
}

void NodeReader::allow_attributes(std::initializer_list<std::string_view> names) const {
  for (const auto& [name, value] : node_.attributes) {
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      if (node_.domain.empty()) check_kind(name, value);
      continue;
    }
    std::string allowed;
    for (const auto& other : names) allowed += concat(allowed.empty() ? "" : ", ", other);
    fail(Code::kUnsupported, "attribute ", quote(name),
         " is not supported, supported are: ", allowed.empty() ? "none" : allowed);
  }
}

InferContext::InferContext(const Node& node, std::span<const Fact* const> inputs)
    : NodeReader(node), inputs_(inputs), outputs_(node.outputs.size()) {}

bool InferContext::has_input(int i) const noexcept {
  return i < input_count() && inputs_[static_cast<std::size_t>(i)] != nullptr;
}

const Fact& InferContext::input(int i) const {
  if (!has_input(i)) fail(Code::kModel, "input ", i, " is missing");
  return *inputs_[static_cast<std::size_t>(i)];
}

const Dims* InferContext::dims(int i) const {
  const Fact& fact = input(i);
  return fact.dims ? &*fact.dims : nullptr;
}

std::optional<std::vector<int64_t>> InferContext::ints(int i) {
  const Fact& fact = input(i);
  if (fact.constant) return integers_of(*fact.constant);
  if (fact.dtype != DType::kInt64 && fact.dtype != DType::kInt32 && fact.dtype != DType::kNone) {
    fail(Code::kModel, "input ", i, " has type ", name_of(fact.dtype), ", expected int64 or int32");
  }
  awaited_.push_back(i);
  return std::nullopt;
}

const Tensor* InferContext::value(int i) {
  const Fact& fact = input(i);
  if (!fact.constant) awaited_.push_back(i);
  return fact.constant.get();
}

void InferContext::require_counts(int min_inputs, int max_inputs, int min_outputs, int max_outputs) const {
  if (input_count() < min_inputs || input_count() > max_inputs) {
    fail(Code::kModel, "has ", input_count(), " inputs, expected ", min_inputs, " to ", max_inputs);
  }
  if (output_count() < min_outputs || output_count() > max_outputs) {
    fail(Code::kModel, "has ", output_count(), " outputs, expected ", min_outputs, " to ", max_outputs);
  }
  for (int i = 0; i < min_inputs; ++i) (void)input(i);
}

void InferContext::require_dtype(int i, std::initializer_list<DType> types) const {
  const DType got = dtype(i);
  if (std::find(types.begin(), types.end(), got) != types.end()) return;
  std::string allowed;
  for (const DType type : types) allowed += concat(allowed.empty() ? "" : ", ", name_of(type));
  fail(Code::kUnsupported, "input ", i, " has type ", name_of(got), ", supported are: ", allowed);
}

void InferContext::require_same_dtype(std::initializer_list<int> inputs) const {
  const Fact* first = nullptr;
  for (const int i : inputs) {
    if (!has_input(i)) continue;
    if (first == nullptr) first = &input(i);
    if (input(i).dtype != first->dtype) {
      fail(Code::kModel, "input ", i, " has type ", name_of(input(i).dtype), ", expected ", name_of(first->dtype),
           " as the inputs before it");
    }
  }
}

void InferContext::require_rank(int i, int low, int high) const {
  const Dims* found = dims(i);
  if (found == nullptr) return;
  const auto rank = static_cast<int>(found->size());
  if (rank < low || rank > high) {
    fail(Code::kModel, "input ", i, " has shape ", text_of(*found), ", expected rank ", low,
         low == high ? "" : concat(" to ", high));
  }
}

int64_t InferContext::normalise_axis(int64_t axis, int64_t rank) const {
  if (axis < -rank || axis >= rank) {
    fail(Code::kModel, "axis ", axis, " does not fit rank ", rank);
  }
  return axis < 0 ? axis + rank : axis;
}

void InferContext::output(int i, DType dtype, Dims dims) {
  if (i >= output_count()) return;
  Fact& fact = outputs_[static_cast<std::size_t>(i)];
  fact.dtype = dtype;
  fact.dims = std::move(dims);
  fact.constant.reset();
}

void InferContext::output_unknown(int i, DType dtype, int rank) {
  if (i >= output_count()) return;
  Fact& fact = outputs_[static_cast<std::size_t>(i)];
  fact.dtype = dtype;
  fact.dims = rank < 0 ? std::nullopt : std::optional<Dims>(Dims(static_cast<std::size_t>(rank)));
  fact.constant.reset();
}

bool InferContext::wants_output(int i) const noexcept {
  return i < output_count() && node().outputs[static_cast<std::size_t>(i)] != kNoValue;
}

Dims broadcast(const Dims& a, const Dims& b) {
  const Dims& longer = a.size() >= b.size() ? a : b;
  const Dims& shorter = a.size() >= b.size() ? b : a;
  Dims out = longer;
  const std::size_t offset = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    const Dim& x = longer[offset + i];
    const Dim& y = shorter[i];
    Dim& z = out[offset + i];
    if (x.surely_equals(y)) continue;
    if (x.is_known() && y.is_known()) {
      if (x.value() != 1 && y.value() != 1) {
        fail(Code::kModel, "shapes ", text_of(a), " and ", text_of(b), " cannot be broadcast");
      }
      z = x.value() == 1 ? y : x;
    } else if (x.is_known()) {
      z = x.value() == 1 ? y : x;
    } else if (y.is_known()) {
      z = y.value() == 1 ? x : y;
    } else {
      z = Dim();
    }
  }
  return out;
}

LastingInputs LastingInputs::of(const Graph& graph, const std::vector<Fact>& facts,
                                const std::vector<ValueId>& ids) noexcept {
  LastingInputs lasting;
  lasting.bits_ = ~uint64_t{0};
  for (std::size_t i = 0; i < ids.size() && i < kMost; ++i) {
    if (ids[i] == kNoValue) continue;
    const auto id = static_cast<std::size_t>(ids[i]);
    if (facts[id].constant != graph.values[id].fact.constant) lasting.bits_ &= ~(uint64_t{1} << i);
  }
  return lasting;
}

bool PrepareContext::has_input(int i) const noexcept {
  return i < input_count() && inputs_[static_cast<std::size_t>(i)] != nullptr;
}

bool PrepareContext::has_output(int i) const noexcept {
  return i < output_count() && outputs_[static_cast<std::size_t>(i)] != nullptr;
}

bool PrepareContext::makes_nothing() const {
  for (int i = 0; i < output_count(); ++i) {
    if (has_output(i) && output_shape(i).count() > 0) return false;
  }
  const bool has_indices = node().op.starts_with("Gather") || node().op.starts_with("Scatter");
  return !has_indices || shape(1).count() == 0;
}

const Tensor* PrepareContext::constant(int i) const noexcept {
  return has_input(i) ? inputs_[static_cast<std::size_t>(i)]->constant.get() : nullptr;
}

std::vector<int64_t> PrepareContext::ints(int i) const {
  const Tensor* value = constant(i);
  if (value == nullptr) fail(Code::kModel, "input ", i, " must be known when the plan is made");
  return integers_of(*value);
}

std::shared_ptr<const DeviceMemory> PrepareContext::uploaded(std::initializer_list<std::size_t> of,
                                                             const std::string& key,
                                                             const std::function<Tensor()>& make) const {
  return shared<DeviceMemory>(of, concat(key, " on ", device()->number()), [&] {
    const Tensor tensor = make();
    return device()->upload(tensor.view().data, tensor.bytes());
  });
}

std::shared_ptr<const void> prepare_nothing(PrepareContext& context) {
  int64_t bytes = 0;
  for (int i = 0; i < context.output_count(); ++i) {
    if (context.has_output(i)) bytes += context.output_shape(i).count() * size_of(context.output_dtype(i));
  }
  context.work = {0, 2 * bytes};
  return nullptr;
}

}  // namespace slipway
