// Both plans are of one graph, so that their steps are calls of the same operators. What holds for one step:
//
// 1. A value is rows of its own: its first size is the number of rows of either plan, all others are the same. Or it is
//    a constant of the same bytes in both. Constants that follow from the number of rows differ; where they only say
//    how large the result is they may, since that has been compared.
// 2. The operator takes each row for itself. Views need no rule: where both ends are rows, what lies between has kept
//    their order.
#include "plan/rows.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace slipway {

namespace {

/// What the values of a part may take, so that a second cache holds most of what is in use at a time; and what they
/// take at least, or the calls weigh more than the memory.
constexpr int64_t kMostBytes = int64_t{1} << 21;
constexpr int64_t kLeastBytes = int64_t{1} << 18;

constexpr std::array<std::string_view, 11> kOfImages = {"Conv",
                                                        "ConvActivation",
                                                        "ConvTranspose",
                                                        "MaxPool",
                                                        "AveragePool",
                                                        "GlobalMaxPool",
                                                        "GlobalAveragePool",
                                                        "BatchNormalization",
                                                        "InstanceNormalization",
                                                        "DepthToSpace",
                                                        "SpaceToDepth"};
constexpr std::array<std::string_view, 5> kReductions = {"ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin",
                                                         "ReduceSum"};

template <std::size_t N>
bool holds(const std::array<std::string_view, N>& list, std::string_view op) {
  return std::find(list.begin(), list.end(), op) != list.end();
}

class Comparison final {
 public:
  Comparison(const Plan& whole, int64_t rows, const Plan& part, int64_t part_rows)
      : whole_(whole), rows_(rows), part_(part), part_rows_(part_rows) {}

  [[nodiscard]] bool is_free() const {
    if (whole_.steps.size() != part_.steps.size() || whole_.outputs.size() != part_.outputs.size()) return false;
    for (std::size_t i = 0; i < whole_.steps.size(); ++i) {
      if (!is_free(whole_.steps[i], part_.steps[i])) return false;
    }
    return std::equal(whole_.outputs.begin(), whole_.outputs.end(), part_.outputs.begin(),
                      [&](const auto& a, const auto& b) { return a.first == b.first && is_rows(a.second, b.second); });
  }

 private:
  [[nodiscard]] bool is_rows(const Operand& a, const Operand& b) const {
    const std::span<const int64_t> whole = a.shape.sizes();
    const std::span<const int64_t> part = b.shape.sizes();
    return a.value == b.value && !is_constant(a) && !is_constant(b) && a.dtype == b.dtype && !whole.empty() &&
           whole.size() == part.size() && whole[0] == rows_ && part[0] == part_rows_ &&
           std::equal(whole.begin() + 1, whole.end(), part.begin() + 1);
  }

  [[nodiscard]] static bool is_constant(const Operand& operand) { return operand.place.kind == Place::Kind::kConstant; }

  [[nodiscard]] const Tensor& constant(const Plan& plan, const Operand& operand) const {
    return *plan.constants[static_cast<std::size_t>(operand.place.index)];
  }

  [[nodiscard]] bool is_same(const Operand& a, const Operand& b) const {
    if (a.value == kNoValue || b.value == kNoValue) return a.value == b.value;
    if (!is_constant(a) || !is_constant(b)) return false;
    const TensorView x = constant(whole_, a).view();
    const TensorView y = constant(part_, b).view();
    if (x.bytes() == 0) return x.dtype == y.dtype && x.shape == y.shape;
    return x.data == y.data || (x.dtype == y.dtype && x.shape == y.shape &&
                                std::memcmp(x.data, y.data, static_cast<std::size_t>(x.bytes())) == 0);
  }

  [[nodiscard]] bool is_free(const Step& a, const Step& b) const {
    if (a.node != b.node || a.inputs.size() != b.inputs.size() || a.outputs.size() != b.outputs.size()) return false;
    for (std::size_t i = 0; i < a.outputs.size(); ++i) {
      if (a.outputs[i].value != kNoValue && !is_rows(a.outputs[i], b.outputs[i])) return false;
    }
    for (std::size_t i = 0; i < a.inputs.size(); ++i) {
      if (is_same(a.inputs[i], b.inputs[i]) || is_rows(a.inputs[i], b.inputs[i])) continue;
      if (a.node == nullptr || !says_size(*a.node, i) || !is_constant(a.inputs[i]) || !is_constant(b.inputs[i])) {
        return false;
      }
    }
    return a.node == nullptr ? is_rows(a.inputs[0], b.inputs[0]) : takes_rows(a);
  }

  /// Case 1: inputs that only say how large the result is.
  [[nodiscard]] static bool says_size(const Node& node, std::size_t input) {
    return (node.op == "Expand" && input == 1) || (node.op == "Slice" && (input == 1 || input == 2)) ||
           (node.op == "Resize" && input == 3);
  }

  /// Case 2.
  [[nodiscard]] bool takes_rows(const Step& step) const {
    const std::string_view op = step.node->op;
    if (op == "Network") return true;
    if (step.outputs.size() != 1) return false;
    if (holds(kOfImages, op)) return only_first_is_rows(step);
    if (step.node->row->kind == RowKind::kElementwise || op == "Expand") return has_one_rank(step);
    if (holds(kReductions, op)) return only_first_is_rows(step);  // one of the first axis would not leave rows
    if (op == "Softmax" || op == "LogSoftmax") return axis_of(step, -1) > 0;
    if (op == "Concat") return axis_of(step, 0) > 0;
    if (op == "Slice") return only_first_is_rows(step) && leaves_first_axis(step);
    if (op == "Resize") return only_first_is_rows(step) && stretches_no_rows(step);
    if (op == "Pad") return only_first_is_rows(step) && pads_nothing_away(step);
    if (op != "Transpose") return false;
    const std::vector<int64_t> order = NodeReader(*step.node).get_ints("perm");
    return !order.empty() && order[0] == 0;
  }

  [[nodiscard]] static bool only_first_is_rows(const Step& step) {
    return !is_constant(step.inputs[0]) &&
           std::all_of(step.inputs.begin() + 1, step.inputs.end(),
                       [](const Operand& x) { return x.value == kNoValue || is_constant(x); });
  }

  /// Broadcasting then leaves the first axis the first.
  [[nodiscard]] static bool has_one_rank(const Step& step) {
    return std::all_of(step.inputs.begin(), step.inputs.end(), [&](const Operand& x) {
      return x.value == kNoValue || is_constant(x) || x.shape.rank() == step.outputs[0].shape.rank();
    });
  }

  [[nodiscard]] static int64_t axis_of(const Step& step, int64_t otherwise) {
    const int64_t axis = NodeReader(*step.node).get_int("axis", otherwise);
    return axis < 0 ? axis + step.outputs[0].shape.rank() : axis;
  }

  /// The integers of a constant input, or none where it is of another type or absent.
  [[nodiscard]] std::span<const int64_t> ints(const Step& step, std::size_t i) const {
    if (i >= step.inputs.size() || !is_constant(step.inputs[i])) return {};
    const Tensor& tensor = constant(whole_, step.inputs[i]);
    if (tensor.dtype() != DType::kInt64) return {};
    return {tensor.as<int64_t>(), static_cast<std::size_t>(tensor.shape().count())};
  }

  [[nodiscard]] bool leaves_first_axis(const Step& step) const {
    const std::span<const int64_t> axes = ints(step, 3);
    const int64_t rank = step.outputs[0].shape.rank();
    return !axes.empty() && std::none_of(axes.begin(), axes.end(), [&](int64_t a) { return a == 0 || a + rank == 0; });
  }

  /// As many rows as before may be others where a factor is near 1; sizes are a factor of exactly 1 then.
  [[nodiscard]] bool stretches_no_rows(const Step& step) const {
    const NodeReader node(*step.node);
    if (node.get_string("keep_aspect_ratio_policy", "stretch") != "stretch" || !node.get_ints("axes").empty())
      return false;
    if (step.inputs.size() > 3 && step.inputs[3].value != kNoValue) return true;
    const TensorView scales = constant(whole_, step.inputs[2]).view();
    return scales.shape.count() > 0 && scales.as<float>()[0] == 1.0F;
  }

  [[nodiscard]] bool pads_nothing_away(const Step& step) const {
    const std::span<const int64_t> pads = ints(step, 1);
    return !pads.empty() && std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad >= 0; });
  }

  const Plan& whole_;
  int64_t rows_;
  const Plan& part_;
  int64_t part_rows_;
};

}  // namespace

int64_t rows_of_part(int64_t rows, int64_t arena_bytes) noexcept {
  if (rows < 2 || arena_bytes <= kMostBytes) return 0;
  int64_t most = std::max<int64_t>(kMostBytes / (arena_bytes / rows + 1), 1);
  while (rows % most != 0) --most;
  return most * (arena_bytes / rows) >= kLeastBytes ? most : 0;
}

bool has_free_rows(const Plan& whole, int64_t rows, const Plan& part, int64_t part_rows) {
  return Comparison(whole, rows, part, part_rows).is_free();
}

}  // namespace slipway
