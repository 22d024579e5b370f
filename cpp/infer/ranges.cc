#include "infer/ranges.h"

#include <optional>

#include "base/error.h"

namespace slipway::infer {

namespace {

struct Range {
  int64_t low;
  int64_t high;
  /// Numbers beside the range that a text may be encoded to.
  std::optional<int64_t> unknown;
  std::optional<int64_t> pad;

  [[nodiscard]] bool holds(int64_t value) const noexcept {
    return (value >= low && value <= high) || value == unknown || value == pad;
  }
};

std::optional<Range> range_of(const Signature& signature, const InputPort& port, const std::vector<Tensor>& inputs) {
  if (const auto* text = std::get_if<TextSpec>(&port.spec)) return Range{0, text->limit - 1, text->unknown, text->pad};
  if (const std::optional<std::size_t> of = port.length_of()) {
    const int axis = signature.inputs[*of].time_axis;
    const Shape& shape = inputs[*of].shape();
    return Range{1, axis >= 0 && axis < shape.rank() ? shape[axis] : 0, {}, {}};
  }
  const auto* array = std::get_if<TensorSpec>(&port.spec);
  if (array == nullptr || !array->below) return std::nullopt;
  return Range{0, *array->below - 1, {}, {}};
}

std::string place_text(const Shape& shape, int64_t index) {
  std::vector<int64_t> place(static_cast<std::size_t>(shape.rank()));
  for (int axis = shape.rank(); axis-- > 0; index /= shape[axis]) {
    place[static_cast<std::size_t>(axis)] = index % shape[axis];
  }
  return Shape(place).text();
}

template <typename T>
void check(const InputPort& port, const Tensor& tensor, const Range& range) {
  const T* values = tensor.as<T>();
  for (int64_t i = 0; i < tensor.shape().count(); ++i) {
    if (range.holds(values[i])) continue;
    fail(Code::kInput, "input ", quote(port.info.name), " holds ", values[i], " at place ",
         place_text(tensor.shape(), i), ", expected ", range.low, " to ", range.high);
  }
}

}  // namespace

void check_ranges(const Signature& signature, const std::vector<Tensor>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const InputPort& port = signature.inputs[i];
    if (inputs[i].dtype() != DType::kInt64 && inputs[i].dtype() != DType::kInt32) continue;
    const std::optional<Range> range = range_of(signature, port, inputs);
    if (!range) continue;
    inputs[i].dtype() == DType::kInt64 ? check<int64_t>(port, inputs[i], *range)
                                       : check<int32_t>(port, inputs[i], *range);
  }
}

}  // namespace slipway::infer
