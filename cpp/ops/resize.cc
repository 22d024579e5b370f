// Resize:  y[o] = sum over taps t of weight[o, t] * x[place[o, t]], along each axis that is resized.
//
// ONNX Resize, opsets 13 to 24 (18 adds axes and keep_aspect_ratio_policy, 19 half_pixel_symmetric). x: any rank, any
// type with mode nearest, else float32 and float64; scales: float32 list, or sizes: int64 list, either known when
// shapes are. Modes nearest, linear, cubic, and every coordinate_transformation_mode but tf_crop_and_resize; roi and
// extrapolation_value are for that one and pass unread. No antialias. A weight of 0 takes nothing: infinity and NaN
// spread to the places they are a part of. align_corners takes the length of y, which is whole, also with scales: so do
// ONNX's formula, torch and onnxruntime, but not onnx's reference.
#include "ops/resize.h"

#include <algorithm>
#include <limits>

#include "ops/elementwise.h"
#include "ops/resize_rules.h"
#include "ops/shapes.h"

namespace slipway {

void infer_resize(InferContext& context) {
  if (context.opset() >= 18) {
    context.allow_attributes({"antialias", "axes", "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside",
                              "extrapolation_value", "keep_aspect_ratio_policy", "mode", "nearest_mode"});
  } else {
    context.allow_attributes({"coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside",
                              "extrapolation_value", "mode", "nearest_mode"});
  }
  context.require_counts(1, 4, 1, 1);
  if (resize_attributes(context).mode != ResizeMode::kNearest) require_types(context, 0, Floats{});
  std::optional<Dims> y = resized_dims(context);
  if (!y) return context.output_unknown(0, context.dtype(0));
  context.output(0, context.dtype(0), std::move(*y));
}

namespace {

struct OwnedResize : ResizePrepared {
  Buffer buffer;  // counts against the session's memory
  std::shared_ptr<const DeviceMemory> memory;
  ResizeRows own_rows;
  Buffer row_taps;  // of its last axis
};

// Reads the shapes into axes and their table; returns how many taps an element has.
int64_t read_axes(const PrepareContext& context, OwnedResize& prepared) {
  const ResizeAttributes how = resize_attributes(context);
  const std::vector<ResizeScale> scales = resize_scales(context);
  const Shape x = context.shape(0);
  const Shape y = context.output_shape(0);
  const auto strides = strides_of(x);
  const auto scale_of = [&](int axis) -> const ResizeScale& { return scales[static_cast<std::size_t>(axis)]; };
  const auto is_kept = [&](int axis) { return scale_of(axis).is_one() && x[axis] == y[axis]; };
  int64_t taps = 1;
  int64_t count = 0;    // of taps in the table
  double growth = 1.0;  // of the axes before the last that is resized
  int64_t kept = 1;     // places of the axes since the last that is resized
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (is_kept(axis)) {
      kept *= x[axis];
      continue;
    }
    if (kept > 1) prepared.axes.push_back({kept, strides[axis] * x[axis], 0, 0});
    kept = 1;
    const int own = taps_of(how, y[axis]);
    prepared.axes.push_back({y[axis], strides[axis], count, own});
    prepared.own_rows.source = x[axis] * strides[axis];
    prepared.own_rows.adds_first = growth <= 1.0;
    growth *= static_cast<double>(y[axis]) / static_cast<double>(x[axis]);
    count += y[axis] * own;
    taps = checked_multiply(taps, own);
  }
  prepared.inner = kept;
  prepared.is_nearest = how.mode == ResizeMode::kNearest;
  prepared.buffer = Buffer(count * static_cast<int64_t>(sizeof(ResizeTap)));
  auto* to = reinterpret_cast<ResizeTap*>(prepared.buffer.data());
  prepared.table = to;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (!is_kept(axis)) to = write_taps(how, scale_of(axis), x[axis], y[axis], strides[axis], to);
  }
  return taps;
}

// Lays the taps of the last axis out for vectors; false where it does not suit them: sources are many, or far apart, or
// fall from place to place, which they do in no mode.
bool lay_rows_out(int64_t elements, OwnedResize& resize) {
  constexpr int64_t kMostLanes = 16;
  constexpr int64_t kMostSlots = 8;
  const ResizeAxis& last = resize.axes.back();
  ResizeRows& rows = resize.own_rows;
  rows.outer = resize.axes.data();
  rows.outer_axes = static_cast<int>(resize.axes.size()) - 1;
  rows.table = resize.table;
  for (int axis = 0; axis < rows.outer_axes; ++axis) {
    const ResizeAxis& own = rows.outer[axis];
    rows.rows *= own.count;
    rows.sources *= std::max(own.taps, 1);
    if (rows.sources > kMostResizeSources) return false;
  }
  rows.adds_first = rows.adds_first && rows.sources > 1;
  rows.count = last.count;
  rows.inner = resize.inner;
  rows.taps = last.taps;
  rows.padded = (last.count + kMostLanes - 1) / kMostLanes * kMostLanes;
  rows.is_nearest = resize.is_nearest;
  const int64_t places = rows.padded * rows.taps;
  resize.row_taps = Buffer(places * static_cast<int64_t>(sizeof(int32_t) + sizeof(float)));
  auto* from = reinterpret_cast<int32_t*>(resize.row_taps.data());
  auto* weight = reinterpret_cast<float*>(from + places);
  std::fill_n(from, places, 0);
  std::fill_n(weight, places, 0.0F);
  for (int64_t at = 0; at < last.count; ++at) {
    for (int k = 0; k < last.taps; ++k) {
      const ResizeTap tap = tap_of(last, resize.table, at, k);
      if (tap.from > std::numeric_limits<int32_t>::max()) return false;
      if (at > 0 && tap.from < tap_of(last, resize.table, at - 1, k).from) return false;
      from[k * rows.padded + at] = static_cast<int32_t>(tap.from);
      weight[k * rows.padded + at] = static_cast<float>(tap.weight);
    }
  }
  rows.from = from;
  rows.weight = weight;
  rows.doubles = rows.is_nearest && rows.inner == 1 && last.count % 2 == 0;
  for (int64_t at = 0; at < last.count && rows.doubles; ++at) rows.doubles = from[at] == at / 2;
  // No more memory than y has, as long as that leaves one.
  rows.slots = std::clamp<int64_t>(elements / rows.slot(), 1, std::min(kMostSlots, rows.rows));
  resize.rows = &rows;
  return true;
}

}  // namespace

std::shared_ptr<const void> prepare_resize(PrepareContext& context) {
  (void)prepare_nothing(context);
  auto prepared = std::make_shared<OwnedResize>();
  const int64_t count = context.output_shape(0).count();
  if (count == 0) return prepared;
  const int64_t taps = read_axes(context, *prepared);
  if (!prepared->is_nearest) context.work.flops = checked_multiply(2 * taps, count);
  if (prepared->axes.empty()) return prepared;
  if (context.isa() != Isa::kCuda) {
    const bool is_vector = context.isa() != Isa::kScalar && context.dtype(0) == DType::kFloat32;
    if (is_vector && lay_rows_out(count, *prepared)) {
      context.scratch_bytes = checked_multiply(prepared->rows->slots * prepared->rows->slot(), sizeof(float));
      return prepared;
    }
    const int64_t row = prepared->axes.back().count * prepared->inner;
    if (!prepared->is_nearest) context.scratch_bytes = checked_multiply(row, sizeof(double));
    return prepared;
  }
  prepared->memory = context.device()->upload(prepared->table, prepared->buffer.bytes());
  prepared->table = prepared->memory->as<ResizeTap>();
  prepared->buffer = Buffer();
  return prepared;
}

namespace scalar {

namespace {

// Fills y's part from `axis` on, whose outer axes stand at x.
template <typename T>
T* take_nearest(const ResizePrepared& prepared, std::size_t axis, const T* x, T* y) noexcept {
  if (axis == prepared.axes.size()) return std::copy_n(x, prepared.inner, y);
  const ResizeAxis& own = prepared.axes[axis];
  const bool is_row = axis + 1 == prepared.axes.size() && prepared.inner == 1;
  int64_t last = -1;
  int64_t size = 0;
  for (int64_t at = 0; at < own.count; ++at) {
    const int64_t from = tap_of(own, prepared.table, at, 0).from;
    if (is_row) {
      *y++ = x[from];
    } else if (from == last) {
      y = std::copy_n(y - size, size, y);
    } else {
      T* const next = take_nearest(prepared, axis + 1, x + from, y);
      size = next - y;
      y = next;
    }
    last = from;
  }
  return y;
}

// Sums of one row of y, in double: the last axis and what lies side by side behind it.
struct Row {
  const ResizePrepared& prepared;
  int64_t at[kMaxRank];  // places of the axes outside it
  double* sums;
};

template <typename T>
void add_row(const Row& row, const T* x, double weight) noexcept {
  const ResizeAxis& own = row.prepared.axes.back();
  const int64_t inner = row.prepared.inner;
  const ResizeTap* tap = row.prepared.table + own.first;
  double* sums = row.sums;
  for (int64_t at = 0; at < own.count; ++at, sums += inner) {
    for (int k = 0; k < own.taps; ++k, ++tap) {
      const double own_weight = weight * tap->weight;
      if (tap->weight == 0.0) continue;
      for (int64_t i = 0; i < inner; ++i) sums[i] += own_weight * static_cast<double>(x[tap->from + i]);
    }
  }
}

template <typename T>
void add_rows(const Row& row, std::size_t axis, const T* x, double weight) noexcept {
  if (axis + 1 == row.prepared.axes.size()) return add_row(row, x, weight);
  const ResizeAxis& own = row.prepared.axes[axis];
  for (int k = 0; k < std::max(own.taps, 1); ++k) {
    const ResizeTap tap = tap_of(own, row.prepared.table, row.at[axis], k);
    if (tap.weight != 0.0) add_rows(row, axis + 1, x + tap.from, weight * tap.weight);
  }
}

template <typename T>
T* interpolate(Row& row, std::size_t axis, const T* x, T* y) noexcept {
  const ResizePrepared& prepared = row.prepared;
  const ResizeAxis& own = prepared.axes[axis];
  if (axis + 1 == prepared.axes.size()) {
    const int64_t count = own.count * prepared.inner;
    std::fill_n(row.sums, count, 0.0);
    add_rows(row, 0, x, 1.0);
    return std::transform(row.sums, row.sums + count, y, [](double sum) { return static_cast<T>(sum); });
  }
  for (row.at[axis] = 0; row.at[axis] < own.count; ++row.at[axis]) y = interpolate(row, axis + 1, x, y);
  return y;
}

}  // namespace

void resize(const OpCall& call) noexcept {
  const auto& prepared = call.as<ResizePrepared>();
  if (call.outputs[0].shape.count() == 0) return;
  if (prepared.is_nearest || prepared.axes.empty()) {
    return dispatch_storage(call.inputs[0].dtype, [&]<typename T>() {
      (void)take_nearest(prepared, 0, call.inputs[0].as<T>(), call.outputs[0].as<T>());
    });
  }
  Row row{prepared, {}, reinterpret_cast<double*>(call.scratch)};
  dispatch(Floats{}, call.inputs[0].dtype,
           [&]<typename T>() { (void)interpolate(row, 0, call.inputs[0].as<T>(), call.outputs[0].as<T>()); });
}

}  // namespace scalar
}  // namespace slipway
