// Slice:  y = x[start:end:step] along the given axes, as in numpy.
//
// ONNX Slice, opsets 13 to 24. x: any shape and type; starts, ends: int32 or int64 lists; axes, steps: the same,
// optional. Bounds are kept within the axis; negative ones count from its end; a step may be negative, not 0.
#include <numeric>

#include "ops/prepared.h"
#include "ops/shapes.h"

namespace slipway {

namespace {

// One axis's elements: start, start + step, ..., `count` of them.
struct Cut {
  int64_t start = 0;
  int64_t step = 1;
  int64_t count = 0;
};

// Python's slice.indices().
Cut cut(int64_t size, int64_t start, int64_t end, int64_t step) {
  if (size == 0) return {};
  // Backwards, a start before the first element is the first; Python would take nothing.
  const int64_t high = step > 0 ? size : size - 1;
  start = std::clamp(start < 0 ? start + size : start, int64_t{0}, high);
  end = std::clamp(end < 0 ? end + size : end, int64_t{step > 0 ? 0 : -1}, high);
  const int64_t distance = step > 0 ? end - start : start - end;
  if (distance <= 0) return {};
  const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : -static_cast<uint64_t>(step);
  const auto count = static_cast<int64_t>((static_cast<uint64_t>(distance) - 1) / stride + 1);
  // A step that is never taken may be larger than anything that can be multiplied.
  return {start, count > 1 ? step : 1, count};
}

struct Bounds {
  std::vector<int64_t> starts;
  std::vector<int64_t> ends;
  std::vector<int64_t> axes;
  std::vector<int64_t> steps;
};

std::vector<int64_t> first_axes(std::size_t count) {
  std::vector<int64_t> axes(count);
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

// All four lists, or nothing while one of them is not known.
std::optional<Bounds> bounds_of(InferContext& context) {
  const auto starts = context.ints(1);
  const auto ends = context.ints(2);
  const bool has_axes = context.has_input(3);
  const bool has_steps = context.has_input(4);
  const auto axes = has_axes ? context.ints(3) : std::nullopt;
  const auto steps = has_steps ? context.ints(4) : std::nullopt;
  if (!starts || !ends || (has_axes && !axes) || (has_steps && !steps)) return std::nullopt;
  Bounds bounds{*starts, *ends, has_axes ? *axes : first_axes(starts->size()),
                has_steps ? *steps : std::vector<int64_t>(starts->size(), 1)};
  if (bounds.ends.size() != starts->size() || bounds.axes.size() != starts->size() ||
      bounds.steps.size() != starts->size()) {
    context.reject("starts, ends, axes and steps have ", starts->size(), ", ", bounds.ends.size(), ", ",
                   bounds.axes.size(), " and ", bounds.steps.size(), " values, expected equal counts");
  }
  return bounds;
}

}  // namespace

void infer_slice(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(3, 5, 1, 1);
  const auto bounds = bounds_of(context);
  const Dims* x = context.dims(0);
  if (!bounds || x == nullptr) {
    return context.output_unknown(0, context.dtype(0), x == nullptr ? -1 : static_cast<int>(x->size()));
  }
  Dims y = *x;
  const std::vector<int64_t> axes = normalise_axes(context, bounds->axes, static_cast<int64_t>(x->size()));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (bounds->steps[i] == 0) context.reject("a step is 0");
    Dim& dim = y[static_cast<std::size_t>(axes[i])];
    const bool is_whole = bounds->starts[i] == 0 && bounds->steps[i] == 1 && bounds->ends[i] > INT32_MAX - 1;
    if (dim.is_known()) {
      dim = cut(dim.value(), bounds->starts[i], bounds->ends[i], bounds->steps[i]).count;
    } else if (!is_whole) {
      dim = Dim();
    }
  }
  context.output(0, context.dtype(0), std::move(y));
}

std::shared_ptr<const void> prepare_slice(PrepareContext& context) {
  (void)prepare_nothing(context);
  const Shape x = context.shape(0);
  const auto strides = strides_of(x);
  std::vector<Cut> cuts;
  for (const int64_t size : x.sizes()) cuts.push_back({0, 1, size});
  const std::vector<int64_t> starts = context.ints(1);
  const std::vector<int64_t> ends = context.ints(2);
  const std::vector<int64_t> axes = context.has_input(3) ? context.ints(3) : first_axes(starts.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = axes[i] < 0 ? axes[i] + x.rank() : axes[i];
    const int64_t step = context.has_input(4) ? context.ints(4)[i] : 1;
    cuts[static_cast<std::size_t>(axis)] = cut(x[static_cast<int>(axis)], starts[i], ends[i], step);
  }
  auto prepared = std::make_shared<SlicePrepared>();
  if (context.output_shape(0).count() == 0) {
    prepared->walk.push_axis(0, {0});
    return prepared;
  }
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    prepared->walk.push_axis(cuts[i].count, {cuts[i].step * strides[i]});
    prepared->base += cuts[i].start * strides[i];
  }
  return prepared;
}

namespace scalar {

void slice(const OpCall& call) noexcept {
  const auto& prepared = call.as<SlicePrepared>();
  copy_walk(call, prepared.walk, prepared.base);
}

}  // namespace scalar
}  // namespace slipway
