#include "ops/window_rules.h"

#include <algorithm>
#include <limits>

namespace slipway {

namespace {

AutoPad read_auto_pad(const NodeReader& node) {
  const std::string name = node.get_string("auto_pad", "NOTSET");
  if (name == "NOTSET") return AutoPad::kNotSet;
  if (name == "SAME_UPPER") return AutoPad::kSameUpper;
  if (name == "SAME_LOWER") return AutoPad::kSameLower;
  if (name == "VALID") return AutoPad::kValid;
  fail(Code::kModel, "auto_pad is ", quote(name), ", expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
}

std::vector<Dim> read_kernel(const NodeReader& node, std::size_t rank, const std::vector<Dim>* weights) {
  if (weights != nullptr && !node.has_attribute("kernel_shape")) return *weights;
  if (!node.has_attribute("kernel_shape")) fail(Code::kModel, "attribute kernel_shape is missing");
  const std::vector<int64_t> sizes = read_sizes(node, "kernel_shape", rank, 1, 1);
  std::vector<Dim> kernel(sizes.begin(), sizes.end());
  for (std::size_t i = 0; weights != nullptr && i < rank; ++i) {
    const Dim& size = (*weights)[i];
    if (size.is_known() && size.value() != sizes[i]) {
      fail(Code::kModel, "kernel_shape is ", text_of(kernel), ", but the weights have ", text_of(*weights));
    }
  }
  return kernel;
}

/// Elements from a window's first tap to its last.
int64_t extent_of(const WindowRules& rules, std::size_t axis) {
  return (rules.kernel[axis].value() - 1) * rules.dilations[axis] + 1;
}

int64_t same_count(int64_t input, int64_t stride) { return (input + stride - 1) / stride; }

}  // namespace

std::vector<int64_t> read_sizes(const NodeReader& node, std::string_view name, std::size_t count, int64_t low,
                                int64_t otherwise) {
  std::vector<int64_t> values = node.get_ints(name);
  if (values.empty()) return std::vector<int64_t>(count, otherwise);
  if (values.size() != count) {
    fail(Code::kModel, "attribute ", name, " has ", values.size(), " entries, expected ", count);
  }
  for (const int64_t value : values) {
    if (value < low || value > kMaxWindowSize) {
      fail(value < low ? Code::kModel : Code::kLimit, "attribute ", name, " holds ", value, ", expected ", low, " to ",
           kMaxWindowSize);
    }
  }
  return values;
}

int64_t saturating_product(int64_t a, int64_t b, int64_t c) noexcept {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product) || __builtin_mul_overflow(product, c, &product)) {
    return std::numeric_limits<int64_t>::max();
  }
  return product;
}

void check_spatial(const Dim& size) {
  if (size.is_known() && size.value() > kMaxWindowSize) {
    fail(Code::kLimit, "a spatial size is ", size.value(), ", allowed are up to ", kMaxWindowSize);
  }
}

WindowRules read_window(const NodeReader& node, int rank, const std::vector<Dim>* weights) {
  const auto count = static_cast<std::size_t>(rank);
  WindowRules rules;
  rules.kernel = read_kernel(node, count, weights);
  for (const Dim& size : rules.kernel) {
    check_spatial(size);
    if (size.is_known() && size.value() == 0) fail(Code::kModel, "a kernel size is 0, expected at least 1");
  }
  rules.strides = read_sizes(node, "strides", count, 1, 1);
  rules.dilations = read_sizes(node, "dilations", count, 1, 1);
  const std::vector<int64_t> pads = read_sizes(node, "pads", 2 * count, 0, 0);
  rules.begins.assign(pads.begin(), pads.begin() + rank);
  rules.ends.assign(pads.begin() + rank, pads.end());
  rules.auto_pad = read_auto_pad(node);
  rules.rounds_up = node.get_int_in("ceil_mode", 0, 0, 1) == 1;
  const bool pads_given = std::any_of(pads.begin(), pads.end(), [](int64_t pad) { return pad != 0; });
  if (rules.auto_pad != AutoPad::kNotSet && pads_given) {
    fail(Code::kModel, "attributes pads and auto_pad are both given, expected one of them");
  }
  return rules;
}

Dim window_count(const WindowRules& rules, std::size_t axis, const Dim& input) {
  check_spatial(input);
  const bool same = rules.auto_pad == AutoPad::kSameUpper || rules.auto_pad == AutoPad::kSameLower;
  const int64_t stride = rules.strides[axis];
  if (same && stride == 1) return input;
  if (same) return input.is_known() ? Dim(same_count(input.value(), stride)) : Dim();
  if (!rules.kernel[axis].is_known()) return {};
  const int64_t pads = rules.begins[axis] + rules.ends[axis];
  const int64_t extent = extent_of(rules, axis);
  if (!input.is_known()) return stride == 1 && pads == extent - 1 ? input : Dim();
  const int64_t room = input.value() + pads - extent;
  const bool rounds_up = rules.rounds_up && rules.auto_pad == AutoPad::kNotSet;
  // The only window may reach past the end, as the last of many may.
  if (rounds_up && room < 0 && room > -stride && input.value() + rules.begins[axis] > 0) return 1;
  if (room < 0) {
    fail(Code::kModel, "a window of ", extent, " elements does not fit a padded size of ", input.value() + pads);
  }
  int64_t count = room / stride + 1;
  const bool has_rest = room % stride != 0;
  if (rounds_up && has_rest && count * stride < input.value() + rules.begins[axis]) ++count;
  return count;
}

Dims window_counts(const WindowRules& rules, const Dims& input) {
  Dims counts;
  for (std::size_t axis = 0; axis < rules.strides.size(); ++axis) {
    counts.push_back(window_count(rules, axis, input[axis + 2]));
  }
  return counts;
}

Window window_of(const WindowRules& rules, const Shape& input, const Shape& output) {
  Window window;
  const int rank = static_cast<int>(rules.strides.size());
  for (int i = 0; i < rank; ++i) {
    const auto from = static_cast<std::size_t>(i);
    WindowAxis& axis = window.axes[3 - rank + i];
    axis = {input[i + 2],       output[i + 2],   rules.kernel[from].value(), rules.strides[from], rules.dilations[from],
            rules.begins[from], rules.ends[from]};
    if (rules.auto_pad != AutoPad::kSameUpper && rules.auto_pad != AutoPad::kSameLower) continue;
    const int64_t needed = (axis.output - 1) * axis.stride + extent_of(rules, from) - axis.input;
    const int64_t total = axis.output == 0 ? 0 : std::max<int64_t>(needed, 0);
    axis.begin = rules.auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2;
    axis.end = total - axis.begin;
  }
  return window;
}

}  // namespace slipway
