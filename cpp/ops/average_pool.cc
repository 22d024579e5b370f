// AveragePool:  y[n, c, o] = sum over t of x[n, c, o * stride - pad + t * dilation] / count of those elements.
//
// ONNX AveragePool 11, 19 (adds dilations) and 22 as in opsets 13 to 24. x: [N, C, D...]; y: [N, C, O...]; one to three
// spatial axes; float32, float64. count_include_pad counts the padding too, but not what ceil_mode adds behind it (as
// torch). A window without any element (possible with dilations) gives NaN.
#include "ops/pool_rules.h"
#include "ops/types.h"

namespace slipway {

void infer_average_pool(InferContext& context) {
  context.allow_attributes(
      {"auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "strides"});
  if (context.opset() < 19 && context.has_attribute("dilations")) {
    context.reject("attribute dilations does not exist before opset 19");
  }
  context.require_counts(1, 1, 1, 1);
  context.require_dtype(0, {DType::kFloat32, DType::kFloat64});
  (void)context.get_int_in("count_include_pad", 0, 0, 1);
  std::optional<Dims> out = pooled_dims(context);
  if (!out) return context.output_unknown(0, context.dtype(0));
  context.output(0, context.dtype(0), std::move(*out));
}

std::shared_ptr<const void> prepare_average_pool(PrepareContext& context) {
  auto call = std::make_shared<PoolCall>(read_pool(context));
  call->counts_padding = context.get_int("count_include_pad", 0) == 1;
  return call;
}

namespace scalar {

namespace {

template <typename T>
T average(const PoolCall& pool, const T* x, const int64_t (&at)[3]) noexcept {
  const auto& [d, h, w] = pool.window.axes;
  const Taps taps[3] = {taps_within(d, at[0], d.input), taps_within(h, at[1], h.input), taps_within(w, at[2], w.input)};
  double sum = 0.0;
  for (int64_t i = taps[0].begin; i < taps[0].end; ++i) {
    for (int64_t j = taps[1].begin; j < taps[1].end; ++j) {
      for (int64_t k = taps[2].begin; k < taps[2].end; ++k) {
        const int64_t z = at[0] * d.stride - d.begin + i * d.dilation;
        const int64_t y = at[1] * h.stride - h.begin + j * h.dilation;
        sum += static_cast<double>(x[(z * h.input + y) * w.input + at[2] * w.stride - w.begin + k * w.dilation]);
      }
    }
  }
  double count = 1.0;
  for (int a = 0; a < 3; ++a) {
    const WindowAxis& axis = pool.window.axes[a];
    // Every window begins within the padding before the input, so only its end can lie outside.
    const int64_t padded = taps_within(axis, at[a], axis.input + axis.end).end;
    count *= static_cast<double>(pool.counts_padding ? padded : taps[a].end - taps[a].begin);
  }
  return static_cast<T>(sum / count);
}

}  // namespace

void average_pool(const OpCall& call) noexcept {
  const auto& pool = call.as<PoolCall>();
  const auto& axes = pool.window.axes;
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    T* y = call.outputs[0].as<T>();
    for (int64_t plane = 0; plane < pool.planes; ++plane) {
      const T* x = call.inputs[0].as<T>() + plane * pool.window.inputs();
      for (int64_t o = 0; o < pool.window.outputs(); ++o) {
        const int64_t at[3] = {o / (axes[1].output * axes[2].output), o / axes[2].output % axes[1].output,
                               o % axes[2].output};
        *y++ = average(pool, x, at);
      }
    }
  });
}

}  // namespace scalar
}  // namespace slipway
