// Conv and ConvActivation as matrix products: for a panel of output pixels the inputs under every tap are laid out as
// [K, pixels] (im2col), a block of K at a time, on the stack; the weights are the tiles.
#include "ops/activation_simd.h"
#include "ops/call.h"
#include "ops/conv.h"
#include "simd/gemm.h"

namespace slipway::SLIPWAY_ISA {

namespace {

constexpr int64_t kPanel = 2 * kLanes;
/// Multiply-adds below which waking a thread costs more than it saves.
constexpr int64_t kThreadWork = int64_t{1} << 20;

struct Task {
  const ConvCall& conv;
  const float* x;
  const float* w;
  const float* bias;  // or null
  float* y;
  int64_t terms;  // K: channels of a group times taps
};

/// A panel of pixels, in one row of the output or several.
struct Panel {
  int64_t pixel;
  int64_t count;
  int64_t width;
};

void fill_zero(float* to, int64_t begin, int64_t end) noexcept {
  for (int64_t i = begin; i < end; ++i) to[i] = 0.0f;
}

/// to[i] = row[start + i * stride] for i < count; what lies outside [0, size) is zero.
void copy_row(const float* row, int64_t start, int64_t stride, int64_t size, int64_t count, float* to) noexcept {
  int64_t begin = start < 0 ? (stride - 1 - start) / stride : 0;
  int64_t end = start < size ? (size - 1 - start) / stride + 1 : 0;
  if (begin > count) begin = count;
  if (end > count) end = count;
  if (end < begin) end = begin;
  fill_zero(to, 0, begin);
  int64_t i = begin;
  if (stride == 1) {
    for (; i + kLanes <= end; i += kLanes) store(to + i, load(row + start + i));
  }
  for (; i < end; ++i) to[i] = row[start + i * stride];
  fill_zero(to, end, count);
}

/// Terms [first, first + depth) of `count` pixels from `pixel` on, all in one row of the output, into columns of `to`.
void fill_run(const ConvCall& conv, const float* x, int64_t pixel, int64_t count, int64_t first, int64_t depth,
              int64_t width, float* to) noexcept {
  const auto& [d, h, w] = conv.window.axes;
  const int64_t from[3] = {pixel / (h.output * w.output) * d.stride - d.begin,
                           pixel / w.output % h.output * h.stride - h.begin, pixel % w.output * w.stride - w.begin};
  int64_t channel = first / conv.window.taps();
  int64_t tap[3] = {first / (h.kernel * w.kernel) % d.kernel, first / w.kernel % h.kernel, first % w.kernel};
  for (int64_t p = 0; p < depth; ++p, to += width) {
    const int64_t z = from[0] + tap[0] * d.dilation;
    const int64_t y = from[1] + tap[1] * h.dilation;
    if (z >= 0 && z < d.input && y >= 0 && y < h.input) {
      const float* row = x + ((channel * d.input + z) * h.input + y) * w.input;
      copy_row(row, from[2] + tap[2] * w.dilation, w.stride, w.input, count, to);
    } else {
      fill_zero(to, 0, count);
    }
    if (++tap[2] < w.kernel) continue;
    tap[2] = 0;
    if (++tap[1] < h.kernel) continue;
    tap[1] = 0;
    if (++tap[0] < d.kernel) continue;
    tap[0] = 0;
    ++channel;
  }
}

void fill_panel(const ConvCall& conv, const float* x, const Panel& panel, int64_t first, int64_t depth,
                float* to) noexcept {
  const int64_t row = conv.window.axes[2].output;
  for (int64_t done = 0; done < panel.count;) {
    const int64_t pixel = panel.pixel + done;
    const int64_t left = panel.count - done;
    const int64_t run = row - pixel % row < left ? row - pixel % row : left;
    fill_run(conv, x, pixel, run, first, depth, panel.width, to + done);
    done += run;
  }
  if (panel.count == panel.width) return;
  for (int64_t p = 0; p < depth; ++p) fill_zero(to + p * panel.width, panel.count, panel.width);
}

/// All output channels of one group of one image (`plane` counts both), for one panel of pixels.
void convolve_panel(const Task& task, int64_t plane, const Panel& panel) noexcept {
  const ConvCall& conv = task.conv;
  const int64_t group = plane % conv.groups;
  const int64_t pixels = conv.window.outputs();
  const float* x = task.x + plane * conv.channels * conv.window.inputs();
  const float* weights = (conv.packed != nullptr ? conv.packed : task.w) + group * conv.outputs * task.terms;
  alignas(64) float columns[kGemmDepth * kPanel];
  Gemm product;
  product.m = conv.outputs;
  product.n = panel.count;
  product.b = columns;
  product.c = task.y + plane * conv.outputs * pixels + panel.pixel;
  product.c_row = pixels;
  product.a_row = conv.packed != nullptr ? 0 : task.terms;
  product.row_bias = task.bias != nullptr ? task.bias + group * conv.outputs : nullptr;
  for (int64_t first = 0; first < task.terms || first == 0; first += kGemmDepth) {
    product.k = task.terms - first < kGemmDepth ? task.terms - first : kGemmDepth;
    product.a = weights + (conv.packed != nullptr ? first * conv.outputs : first);
    fill_panel(conv, x, panel, first, product.k, columns);
    gemm(product);
    product.accumulate = true;
    product.row_bias = nullptr;
  }
  for (int64_t m = 0; m < conv.outputs; ++m) activate_row(conv.activation, product.c + m * pixels, panel.count);
}

}  // namespace

void conv(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32) return scalar::convolve(call);
  const auto& conv = call.as<ConvCall>();
  const Task task{conv,
                  call.inputs[0].as<float>(),
                  call.inputs[1].as<float>(),
                  call.has_input(2) ? call.inputs[2].as<float>() : nullptr,
                  call.outputs[0].as<float>(),
                  conv.channels * conv.window.taps()};
  const int64_t pixels = conv.window.outputs();
  const int64_t panels = (pixels + kPanel - 1) / kPanel;
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t pixel = i % panels * kPanel;
      const int64_t count = pixels - pixel < kPanel ? pixels - pixel : kPanel;
      convolve_panel(task, i / panels, {pixel, count, count > kLanes ? kPanel : kLanes});
    }
  };
  const int64_t work = conv.outputs * kPanel * (task.terms + 1) + 1;
  parallel_for(call.pool, conv.batch * conv.groups * panels, 1 + kThreadWork / work, body);
}

}  // namespace slipway::SLIPWAY_ISA
