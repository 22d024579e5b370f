// ConvTranspose as a matrix product: what every input pixel gives under every tap, [M * taps, pixels], is then added to
// the outputs on which it lands, tap by tap.
#include "ops/conv_transpose.h"
#include "simd/gemm.h"

namespace slipway::SLIPWAY_ISA {

namespace {

/// Inputs [first, last) of an axis whose tap `t` lands in the output.
struct Landing {
  int64_t first;
  int64_t last;
  int64_t place;  ///< output of input 0; may be negative

  Landing(const WindowAxis& axis, int64_t t) noexcept : place(t * axis.dilation - axis.begin) {
    first = place < 0 ? (axis.stride - 1 - place) / axis.stride : 0;
    const int64_t past = place < axis.input ? (axis.input - 1 - place) / axis.stride + 1 : 0;
    last = past < axis.output ? past : axis.output;
  }
};

/// y += the products of one channel and tap.
void add_tap(const Window& window, int64_t t, const float* products, float* y) noexcept {
  const auto& [d, h, w] = window.axes;
  const Landing planes(d, t / (h.kernel * w.kernel));
  const Landing rows(h, t / w.kernel % h.kernel);
  const Landing columns(w, t % w.kernel);
  for (int64_t i = planes.first; i < planes.last; ++i) {
    for (int64_t j = rows.first; j < rows.last; ++j) {
      const float* from = products + (i * h.output + j) * w.output;
      float* to = y + ((planes.place + i * d.stride) * h.input + rows.place + j * h.stride) * w.input + columns.place;
      for (int64_t k = columns.first; k < columns.last; ++k) to[k * w.stride] += from[k];
    }
  }
}

}  // namespace

void conv_transpose(const OpCall& call) noexcept {
  const auto& conv = call.as<TransposeCall>();
  if (call.inputs[0].dtype != DType::kFloat32 || conv.panels == 0) return scalar::conv_transpose(call);
  const int64_t pixels = conv.window.outputs();
  const int64_t taps = conv.window.taps();
  auto* panels = reinterpret_cast<float*>(call.scratch);
  Gemm product;
  product.m = conv.outputs * taps;
  product.n = pixels;
  product.k = conv.channels;
  product.a_row = 1;
  product.a_column = conv.outputs * taps;
  product.b = panels;
  product.c = panels + conv.panels;
  product.c_row = pixels;
  for (int64_t i = 0; i < conv.batch * conv.groups; ++i) {
    const int64_t group = i % conv.groups;
    pack_panels(call.inputs[0].as<float>() + i * conv.channels * pixels, pixels, 1, conv.channels, pixels, kLanes,
                panels);
    product.a = call.inputs[1].as<float>() + group * conv.channels * conv.outputs * taps;
    gemm(call.pool, product);
    for (int64_t m = 0; m < conv.outputs; ++m) {
      float* y = call.outputs[0].as<float>() + (i * conv.outputs + m) * conv.window.inputs();
      const float bias = call.has_input(2) ? call.inputs[2].as<float>()[group * conv.outputs + m] : 0.0f;
      for (int64_t o = 0; o < conv.window.inputs(); ++o) y[o] = bias;
      for (int64_t t = 0; t < taps; ++t) add_tap(conv.window, t, product.c + (m * taps + t) * pixels, y);
    }
  }
}

}  // namespace slipway::SLIPWAY_ISA
