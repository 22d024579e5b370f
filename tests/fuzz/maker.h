// Builds models from decisions, node by node, with inputs to run them on. What it builds follows the rules of ONNX, and
// it knows the shape of every value, unless it is hostile: then numbers are at their limits now and then.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/tensor.h"
#include "decisions.h"
#include "onnx_writer.h"

namespace slipway::fuzz {

using Sizes = std::vector<int64_t>;

/// A value of the model under construction.
struct Made {
  std::string name;
  DType dtype = DType::kFloat32;
  Sizes dims;

  [[nodiscard]] int64_t rank() const noexcept { return static_cast<int64_t>(dims.size()); }
  [[nodiscard]] int64_t count() const noexcept;
};

/// The place of an axis that may be counted from the end.
[[nodiscard]] inline std::size_t place(int64_t axis, int64_t rank) noexcept {
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

/// Where fresh numbers lie, both ends possible.
struct Range {
  int64_t low = -4;
  int64_t high = 4;
};

inline constexpr DType kFloats[] = {DType::kFloat32, DType::kFloat32, DType::kFloat32, DType::kFloat64};
inline constexpr DType kWide[] = {DType::kFloat32, DType::kFloat64, DType::kInt64, DType::kInt32};
inline constexpr DType kNumbers[] = {DType::kFloat32, DType::kFloat64, DType::kInt64,
                                     DType::kInt32,   DType::kInt8,    DType::kUint8};
inline constexpr DType kAny[] = {DType::kFloat32, DType::kFloat64, DType::kInt64, DType::kInt32,
                                 DType::kInt8,    DType::kUint8,   DType::kBool};
inline constexpr DType kIndices[] = {DType::kInt64, DType::kInt32};

class Maker {
 public:
  Maker(Decisions& decisions, bool is_hostile) : d(decisions), is_hostile_(is_hostile) {}

  Decisions& d;

  // ---- values ----

  /// A new input or constant.
  Made fresh(DType dtype, Sizes dims, Range range = {});
  /// As fresh(), but always an input, or always a constant.
  Made input(DType dtype, const Sizes& dims) { return declare(filled(dtype, dims, {}), false); }
  Made weights(DType dtype, const Sizes& dims) { return declare(filled(dtype, dims, {}), true); }
  /// A new constant, numbers as they are.
  Made constant(DType dtype, Sizes dims, const std::vector<double>& numbers);
  /// A list of int64, mostly constant: an input now and then, so that shapes wait for it.
  Made list(const Sizes& numbers);
  /// One number without dimensions.
  Made scalar(DType dtype, int64_t number);
  /// One of `types` with a rank in [low, high]: a value that is there already, or a fresh one.
  template <std::size_t N>
  Made pick(const DType (&types)[N], int low, int high, Range range = {}) {
    const DType dtype = types[d.pick(N)];
    return pick(dtype, low, high, range);
  }
  Made pick(DType dtype, int low, int high, Range range = {});
  /// Sizes that are small and sometimes a little more than a vector.
  Sizes sizes(int64_t rank);
  /// An axis of a value, counted from the end now and then.
  int64_t axis_of(const Made& value) { return d.from(-value.rank(), value.rank() - 1); }
  /// Whole numbers in [-below, below).
  Made indices(DType dtype, Sizes dims, int64_t below);

  // ---- attributes ----

  check::Message number(std::string_view name, int64_t value);
  check::Message numbers(std::string_view name, const Sizes& values);
  check::Message real(std::string_view name, double value);
  check::Message text(std::string_view name, std::string_view value);
  check::Message texts(std::string_view name, const std::vector<std::string>& values);

  // ---- nodes ----

  /// Adds a node and its outputs; a name "" stands for an absent input.
  std::vector<Made> add(std::string_view op, const std::vector<std::string>& inputs,
                        const std::vector<check::Message>& attributes, std::vector<Made> outputs);
  /// With one output.
  Made add(std::string_view op, const std::vector<Made>& inputs, const std::vector<check::Message>& attributes,
           DType dtype, Sizes dims);

  // ---- the whole ----

  /// A graph inside this one, made by `make`; it reads what is there already. Returns what make returned.
  struct Body {
    check::Model model;
    std::vector<Made> outputs;
  };
  template <typename Make>
  Body body(std::vector<Made> inputs, const Make& make);

  /// The model with these outputs; the arrays for its inputs in order.
  [[nodiscard]] check::Model finish(const std::vector<Made>& outputs);
  [[nodiscard]] const std::vector<Tensor>& inputs() const noexcept { return inputs_; }
  [[nodiscard]] const std::vector<Made>& values() const noexcept { return values_; }
  [[nodiscard]] bool is_hostile() const noexcept { return is_hostile_; }
  /// True where a floating-point number is at a limit.
  [[nodiscard]] bool has_extremes() const noexcept { return has_extremes_; }
  int64_t opset = 20;

 private:
  [[nodiscard]] std::string new_name() { return "v" + std::to_string(count_++); }
  [[nodiscard]] int64_t at_limit(int64_t value);
  [[nodiscard]] Tensor filled(DType dtype, const Sizes& dims, Range range);
  Made declare(Tensor tensor, bool is_constant);

  void put_limit(Tensor& tensor, int64_t i);

  bool is_hostile_;
  bool has_extremes_ = false;
  int count_ = 0;
  int depth_ = 0;
  check::Model model_;
  std::vector<Made> values_;
  std::vector<Tensor> inputs_;
  std::vector<check::Message> graph_inputs_;
};

/// Declares a value, with its sizes or without.
[[nodiscard]] check::Message declared(const Made& value, bool has_sizes);

template <typename Make>
Maker::Body Maker::body(std::vector<Made> inputs, const Make& make) {
  Body made;
  const std::size_t before = values_.size();
  std::swap(made.model, model_);  // fresh constants of the body stand in it, fresh inputs are the whole model's
  ++depth_;
  for (const Made& input : inputs) values_.push_back(input);
  made.outputs = make();
  --depth_;
  values_.resize(before);
  std::swap(made.model, model_);
  for (const Made& input : inputs) made.model.inputs.push_back(declared(input, !is_hostile_));
  for (const Made& output : made.outputs) made.model.outputs.push_back(declared(output, !is_hostile_ && d.chance(2)));
  return made;
}

/// Makes a node of operator `op`, with what it needs.
struct OpMaker {
  std::string_view op;
  void (*make)(Maker& maker, std::string_view op);
  std::string_view row = op;  ///< the row that it reaches, where a pass makes that
};

[[nodiscard]] std::vector<OpMaker> elementwise_makers();
[[nodiscard]] std::vector<OpMaker> reduction_makers();
[[nodiscard]] std::vector<OpMaker> shape_makers();
[[nodiscard]] std::vector<OpMaker> index_makers();
[[nodiscard]] std::vector<OpMaker> layer_makers();
[[nodiscard]] std::vector<OpMaker> recurrent_makers();
[[nodiscard]] std::vector<OpMaker> control_makers();
/// All of them.
[[nodiscard]] const std::vector<OpMaker>& all_makers();

}  // namespace slipway::fuzz
