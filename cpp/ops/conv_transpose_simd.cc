// ConvTranspose, phase by phase where the weights are known (conv_transpose_phases.h). Else as a matrix product: what
// every input pixel gives under every tap, [M * taps, pixels], is then gathered for vectors of outputs of one phase of
// the stride, in which what a tap gives lies side by side; phases are woven together.
#include "ops/conv_transpose_phases_simd.h"
#include "simd/gemm.h"

namespace slipway::SLIPWAY_ISA {

namespace {

constexpr int64_t kSumsPerNanosecond = 4;
/// Of a row, and of the lines of a window.
constexpr int64_t kMostPhases = 64;
constexpr int64_t kMostTaps = 32;

/// Inputs [first, last) of a row land on sums [place + first, place + last) of a phase.
struct ColumnTap {
  int64_t phase;
  int64_t first;
  int64_t last;
  int64_t place;
  int64_t products;  ///< offset of the tap's
};

ColumnTap column_tap(const Window& window, int64_t t) noexcept {
  const WindowAxis& w = window.axes[2];
  const int64_t output = t * w.dilation - w.begin;  // of input 0; may be negative
  const int64_t phase = (output % w.stride + w.stride) % w.stride;
  const int64_t first = output < 0 ? (w.stride - 1 - output) / w.stride : 0;
  const int64_t past = output < w.input ? (w.input - 1 - output) / w.stride + 1 : 0;
  return {phase, first, past < w.output ? past : w.output, (output - phase) / w.stride, t * window.outputs()};
}

/// The outputs of one channel of one image.
class Landing {
 public:
  explicit Landing(const Window& window) noexcept : window_(window) {
    const WindowAxis& w = window.axes[2];
    int64_t count = 0;
    for (int64_t p = 0; p < w.stride; ++p) {
      begins_[p] = count;
      for (int64_t t = 0; t < w.kernel; ++t) {
        const ColumnTap tap = column_tap(window, t);
        if (tap.phase == p) taps_[count++] = tap;
      }
      begins_[p + 1] = count;
    }
  }

  [[nodiscard]] static bool fits(const Window& window) noexcept {
    const auto& [d, h, w] = window.axes;
    return w.stride <= kMostPhases && w.kernel <= kMostTaps && d.kernel * h.kernel <= kMostTaps;
  }

  void put_channel(const float* products, float bias, float* y) const noexcept {
    const auto& [d, h, w] = window_.axes;
    for (int64_t i = 0; i < d.input; ++i) {
      for (int64_t j = 0; j < h.input; ++j, y += w.input) {
        const Lines lines = lines_of(products, i, j);
        for (int64_t q = 0; q * w.stride < w.input; q += kLanes) put_sums(lines, bias, q, y);
      }
    }
  }

 private:
  /// Products, under the first tap of a line of the window, of the rows that land on a row.
  struct Lines {
    const float* products[kMostTaps];
    int64_t count;
  };

  [[nodiscard]] Lines lines_of(const float* products, int64_t i, int64_t j) const noexcept {
    const auto& [d, h, w] = window_.axes;
    Lines lines;
    lines.count = 0;
    for (int64_t a = 0; a < d.kernel; ++a) {
      const int64_t plane = source_of(d, i, a);
      for (int64_t b = 0; plane >= 0 && b < h.kernel; ++b) {
        const int64_t row = source_of(h, j, b);
        if (row < 0) continue;
        const int64_t tap = (a * h.kernel + b) * w.kernel;
        lines.products[lines.count++] = products + tap * window_.outputs() + (plane * h.output + row) * w.output;
      }
    }
    return lines;
  }

  /// Sums [q, q + kLanes) of every phase.
  void put_sums(const Lines& lines, float bias, int64_t q, float* y) const noexcept {
    const WindowAxis& w = window_.axes[2];
    const int64_t left = w.input - q * w.stride;
    y += q * w.stride;
    if (w.stride == 1) return store_first(y, sum(lines, bias, q, 0), left < kLanes ? left : kLanes);
    if (w.stride == 2) {
      const Vec even = sum(lines, bias, q, 0);
      const Vec odd = sum(lines, bias, q, 1);
      return store_some(y, interleave_low(even, odd), interleave_high(even, odd), left);
    }
    for (int64_t p = 0; p < w.stride && p < left; ++p) {
      alignas(64) float sums[kLanes];
      store(sums, sum(lines, bias, q, p));
      for (int64_t k = 0; k < kLanes && k * w.stride + p < left; ++k) y[k * w.stride + p] = sums[k];
    }
  }

  [[nodiscard]] Vec sum(const Lines& lines, float bias, int64_t q, int64_t phase) const noexcept {
    Vec total = broadcast(bias);
    for (int64_t l = 0; l < lines.count; ++l) {
      for (int64_t t = begins_[phase]; t < begins_[phase + 1]; ++t) {
        const ColumnTap& tap = taps_[t];
        const int64_t begin = tap.first + tap.place - q;
        const int64_t end = tap.last + tap.place - q;
        if (end <= 0 || begin >= kLanes) continue;
        const float* from = lines.products[l] + tap.products + q - tap.place;
        total += begin <= 0 && end >= kLanes ? load(from)
                                             : load_between(from, begin > 0 ? begin : 0, end < kLanes ? end : kLanes);
      }
    }
    return total;
  }

  const Window& window_;
  ColumnTap taps_[kMostTaps];        ///< phase by phase
  int64_t begins_[kMostPhases + 1];  ///< where the taps of each phase begin
};

}  // namespace

void conv_transpose(const OpCall& call) noexcept {
  const auto& conv = call.as<TransposeCall>();
  if (conv.phases != nullptr) return land_phases(call, conv);
  const bool is_plain = call.inputs[0].dtype == DType::kFloat32 && conv.panels != 0;
  if (!is_plain || !Landing::fits(conv.window)) return scalar::conv_transpose(call);
  const int64_t pixels = conv.window.outputs();
  const int64_t taps = conv.window.taps();
  const Landing landing(conv.window);
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
    const int64_t grain = grain_of(taps * pixels, kSumsPerNanosecond);
    parallel_for(call.pool, conv.outputs, grain, [&](int64_t begin, int64_t end) {
      for (int64_t m = begin; m < end; ++m) {
        float* y = call.outputs[0].as<float>() + (i * conv.outputs + m) * conv.window.inputs();
        const float bias = call.has_input(2) ? call.inputs[2].as<float>()[group * conv.outputs + m] : 0.0f;
        landing.put_channel(product.c + m * taps * pixels, bias, y);
      }
    });
  }
}

}  // namespace slipway::SLIPWAY_ISA
