// Pad:  x with more elements (or, where a pad is negative, fewer) at both ends of its axes.
//
// ONNX Pad, opsets 13 to 24. x: any type; pads: int64 list, all begins then all ends; value: one element, 0 where
// absent; axes: int32 or int64 list (since 18), all where absent. `mode` constant, reflect (without the edge itself),
// edge, wrap (since 19). Negative pads: with constant only; elsewhere ONNX does not say what they mean.
#include "ops/pad.h"

#include <algorithm>

#include "ops/shapes.h"

namespace slipway {

namespace {

PadMode mode_of(const NodeReader& node) {
  const std::string name = node.get_string("mode", "constant");
  if (name == "constant") return PadMode::kConstant;
  if (name == "reflect") return PadMode::kReflect;
  if (name == "edge") return PadMode::kEdge;
  if (name == "wrap" && node.opset() >= 19) return PadMode::kWrap;
  fail(Code::kModel, "mode is ", quote(name), ", expected constant, reflect, edge",
       node.opset() >= 19 ? " or wrap" : "");
}

struct Pads {
  int64_t begin = 0;
  int64_t end = 0;
};

// Pads of every axis. The lists have been checked to have equal lengths.
std::vector<Pads> spread(const std::vector<int64_t>& pads, const std::vector<int64_t>& axes, std::size_t rank) {
  std::vector<Pads> out(rank);
  const std::size_t half = pads.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    const auto axis =
        axes.empty() ? i : static_cast<std::size_t>(axes[i] < 0 ? axes[i] + static_cast<int64_t>(rank) : axes[i]);
    out[axis] = {pads[i], pads[half + i]};
  }
  return out;
}

Dim padded(const InferContext& context, const Dim& x, const Pads& pads, PadMode mode) {
  if (mode != PadMode::kConstant && (pads.begin < 0 || pads.end < 0)) {
    context.refuse("a pad is ", std::min(pads.begin, pads.end),
                   "; negative ones are supported with mode constant only");
  }
  if (pads.begin == 0 && pads.end == 0) return x;
  if (!x.is_known()) return {};
  if (mode != PadMode::kConstant && x.value() == 0) context.reject("an axis of size 0 has nothing to repeat");
  const int64_t size = checked_add(checked_add(x.value(), pads.begin), pads.end);
  if (size < 0 || pads.begin < -x.value() || pads.end < -x.value())
    context.reject("pads of ", pads.begin, " and ", pads.end, " leave nothing of an axis of ", x.value());
  return size;
}

}  // namespace

void infer_pad(InferContext& context) {
  context.allow_attributes({"mode"});
  context.require_counts(2, context.opset() >= 18 ? 4 : 3, 1, 1);
  const PadMode mode = mode_of(context);
  context.require_dtype(1, {DType::kInt64});
  context.require_rank(1, 1, 1);
  context.require_same_dtype({0, 2});
  if (context.has_input(2)) require_one_element(context, 2);
  const auto pads = context.ints(1);
  const bool has_axes = context.has_input(3);
  const auto axes = has_axes ? context.ints(3) : std::nullopt;
  const Dims* x = context.dims(0);
  if (!pads || (has_axes && !axes) || x == nullptr) {
    return context.output_unknown(0, context.dtype(0), x == nullptr ? -1 : static_cast<int>(x->size()));
  }
  const auto places =
      has_axes ? normalise_axes(context, *axes, static_cast<int64_t>(x->size())) : std::vector<int64_t>();
  const std::size_t count = has_axes ? places.size() : x->size();
  if (pads->size() != 2 * count) context.reject("pads has ", pads->size(), " values, expected ", 2 * count);
  Dims y;
  const std::vector<Pads> all = spread(*pads, places, x->size());
  for (std::size_t i = 0; i < x->size(); ++i) y.push_back(padded(context, (*x)[i], all[i], mode));
  context.output(0, context.dtype(0), std::move(y));
}

std::shared_ptr<const void> prepare_pad(PrepareContext& context) {
  (void)prepare_nothing(context);
  const PadMode mode = mode_of(context);
  const Shape x = context.shape(0);
  const Shape y = context.output_shape(0);
  const auto strides = strides_of(x);
  const std::vector<int64_t> axes = context.has_input(3) ? context.ints(3) : std::vector<int64_t>();
  const std::vector<Pads> pads = spread(context.ints(1), axes, static_cast<std::size_t>(x.rank()));
  auto prepared = std::make_shared<PadPrepared>();
  prepared->mode = mode;
  if (y.count() == 0) return prepared;
  int last = x.rank() - 1;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const auto at = static_cast<std::size_t>(axis);
    prepared->axes.push_back({x[axis], strides[at], pads[at].begin});
  }
  while (last >= 0 && pads[static_cast<std::size_t>(last)].begin == 0 && x[last] == y[last]) --last;
  for (int axis = 0; axis <= last; ++axis) {
    const PadAxis& from = prepared->axes[static_cast<std::size_t>(axis)];
    prepared->rows.push_back({from, y[axis], y.count(axis + 1, y.rank())});
  }
  return prepared;
}

namespace scalar {

namespace {

// Fills y's part from `axis` on, whose other axes stand at x.
template <typename T>
T* fill(const PadPrepared& prepared, std::size_t axis, const T* x, T constant, T* y) noexcept {
  const PadRow& row = prepared.rows[axis];
  const bool is_last = axis + 1 == prepared.rows.size();
  const auto copy = [&](int64_t at, int64_t count) {
    return std::copy_n(x + at * row.from.stride, count * row.size, y);
  };
  // Places [begin, end) of x, all of them outside it.
  const auto surround = [&](int64_t begin, int64_t end) {
    if (begin >= end) return;
    if (prepared.mode == PadMode::kConstant) {
      y = std::fill_n(y, (end - begin) * row.size, constant);
      return;
    }
    for (int64_t at = begin; at < end; ++at) {
      const int64_t source = source_of(at, row.from.size, prepared.mode);
      y = is_last ? copy(source, 1) : fill(prepared, axis + 1, x + source * row.from.stride, constant, y);
    }
  };
  const int64_t begin = -row.from.begin;
  const int64_t end = begin + row.count;
  const int64_t low = std::clamp<int64_t>(0, begin, end);
  const int64_t high = std::clamp(row.from.size, low, end);
  surround(begin, low);
  if (is_last) {
    if (low < high) y = copy(low, high - low);
  } else {
    for (int64_t at = low; at < high; ++at) y = fill(prepared, axis + 1, x + at * row.from.stride, constant, y);
  }
  surround(high, end);
  return y;
}

}  // namespace

void pad(const OpCall& call) noexcept {
  if (call.outputs[0].shape.count() == 0) return;
  const auto& prepared = call.as<PadPrepared>();
  dispatch_storage(call.inputs[0].dtype, [&]<typename T>() {
    const T* x = call.inputs[0].as<T>();
    const T constant = call.has_input(2) ? *call.inputs[2].as<T>() : T{0};
    if (prepared.rows.empty()) {
      std::copy_n(x, call.inputs[0].shape.count(), call.outputs[0].as<T>());
    } else {
      (void)fill(prepared, 0, x, constant, call.outputs[0].as<T>());
    }
  });
}

}  // namespace scalar
}  // namespace slipway
