// MaxPool:  y[n, c, o] = max over t of x[n, c, o * stride - pad + t * dilation], padding left out.
//
// ONNX MaxPool 12 and 22 as in opsets 13 to 24. x: [N, C, D...]; y: [N, C, O...]; one to three spatial axes; float32,
// float64, int8, uint8. A window with a NaN gives NaN. A window without any element (possible with dilations) gives the
// lowest value, index -1. Indices: int64, the place of the maximum in x as a whole, the first of equal ones.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/pool_rules.h"
#include "ops/types.h"

namespace slipway {

void infer_max_pool(InferContext& context) {
  context.allow_attributes({"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"});
  context.require_counts(1, 1, 1, 2);
  context.require_dtype(0, {DType::kFloat32, DType::kFloat64, DType::kInt8, DType::kUint8});
  (void)context.get_int_in("storage_order", 0, 0, 1);
  const std::optional<Dims> out = pooled_dims(context);
  if (!out) {
    context.output_unknown(0, context.dtype(0));
    return context.output_unknown(1, DType::kInt64);
  }
  context.output(0, context.dtype(0), *out);
  context.output(1, DType::kInt64, *out);
}

std::shared_ptr<const void> prepare_max_pool(PrepareContext& context) {
  auto call = std::make_shared<PoolCall>(read_pool(context));
  call->is_column_major = context.get_int("storage_order", 0) == 1;
  return call;
}

namespace scalar {

namespace {

template <typename T>
struct Best {
  T value;
  int64_t position;  ///< in the plane, row-major
};

template <typename T>
Best<T> largest(const Window& window, const T* x, const int64_t (&at)[3]) noexcept {
  const auto& [d, h, w] = window.axes;
  const Taps taps[3] = {taps_within(d, at[0], d.input), taps_within(h, at[1], h.input), taps_within(w, at[2], w.input)};
  using Limits = std::numeric_limits<T>;
  Best<T> best{Limits::has_infinity ? -Limits::infinity() : Limits::lowest(), -1};
  for (int64_t i = taps[0].begin; i < taps[0].end; ++i) {
    for (int64_t j = taps[1].begin; j < taps[1].end; ++j) {
      for (int64_t k = taps[2].begin; k < taps[2].end; ++k) {
        const int64_t z = at[0] * d.stride - d.begin + i * d.dilation;
        const int64_t y = at[1] * h.stride - h.begin + j * h.dilation;
        const int64_t position = (z * h.input + y) * w.input + at[2] * w.stride - w.begin + k * w.dilation;
        const T value = x[position];
        // Not `value > best.value`: with this order a NaN wins, and stays.
        if (best.position < 0 || (!(value <= best.value) && best.value == best.value)) best = {value, position};
      }
    }
  }
  return best;
}

int64_t index_of(const PoolCall& pool, int64_t plane, int64_t position) noexcept {
  if (position < 0) return -1;
  const auto& [d, h, w] = pool.window.axes;
  if (!pool.is_column_major) return plane * pool.window.inputs() + position;
  const int64_t z = position / (h.input * w.input);
  const int64_t y = position / w.input % h.input;
  const int64_t x = position % w.input;
  return plane * pool.window.inputs() + (x * h.input + y) * d.input + z;
}

}  // namespace

void max_pool(const OpCall& call) noexcept {
  const auto& pool = call.as<PoolCall>();
  const auto& axes = pool.window.axes;
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename T>() {
    T* y = call.outputs[0].as<T>();
    int64_t* indices = call.has_output(1) ? call.outputs[1].as<int64_t>() : nullptr;
    for (int64_t plane = 0; plane < pool.planes; ++plane) {
      const T* x = call.inputs[0].as<T>() + plane * pool.window.inputs();
      for (int64_t o = 0; o < pool.window.outputs(); ++o) {
        const int64_t at[3] = {o / (axes[1].output * axes[2].output), o / axes[2].output % axes[1].output,
                               o % axes[2].output};
        const Best<T> best = largest(pool.window, x, at);
        if (y != nullptr) *y++ = best.value;
        if (indices != nullptr) *indices++ = index_of(pool, plane, best.position);
      }
    }
  });
}

}  // namespace scalar
}  // namespace slipway
