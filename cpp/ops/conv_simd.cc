// Conv and ConvActivation as matrix products; the weights are the tiles. Where taps are shifts of a copy of the input
// (conv_direct.h), nothing else is laid out. Else, for a panel of output pixels, the inputs under every tap are laid
// out as [K, pixels] (im2col), a block of K at a time, on the stack.
#include "ops/activation_simd.h"
#include "ops/call.h"
#include "ops/conv.h"
#include "simd/gemm.h"
#include "simd/shifted.h"

namespace slipway::SLIPWAY_ISA {

namespace {

constexpr int64_t kPanel = 2 * kLanes;

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
  if (stride > 2) {
    for (int64_t i = 0; i < count; ++i, start += stride) to[i] = start >= 0 && start < size ? row[start] : 0.0f;
    return;
  }
  for (int64_t i = 0; i < count; i += kLanes, start += kLanes * stride) {
    Vec numbers = load_inside(row, start, size);
    if (stride == 2) numbers = evens(numbers, load_inside(row, start + kLanes, size));
    count - i < kLanes ? store_first(to + i, numbers, count - i) : store(to + i, numbers);
  }
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

/// Rows [first, first + rows) of the outputs of one group of one image.
struct Band {
  int64_t plane;  // counts images and groups
  int64_t first;
  int64_t rows;
};

/// The copy in which taps are shifts.
void copy_band(const Task& task, const Band& band, float* to) noexcept {
  const ConvCall& conv = task.conv;
  const DirectConv& how = *conv.direct;
  const WindowAxis& h = conv.window.axes[1];
  const WindowAxis& w = conv.window.axes[2];
  const float* x = task.x + band.plane * conv.channels * conv.window.inputs();
  for (int64_t c = 0; c < conv.channels; ++c, x += conv.window.inputs()) {
    for (int64_t i = 0; i < how.phases[0]; ++i) {
      for (int64_t j = 0; j < how.phases[1]; ++j, to += how.plane()) {
        if (!reads_phase(h, i) || !reads_phase(w, j)) continue;
        for (int64_t r = 0; r < band.rows + reach(h); ++r) {
          const int64_t y = (band.first + r) * h.stride + i - h.begin;
          if (y >= 0 && y < h.input) {
            copy_row(x + y * w.input, j - w.begin, w.stride, w.input, how.width, to + r * how.width);
          } else {
            fill_zero(to + r * how.width, 0, how.width);
          }
        }
      }
    }
  }
}

/// Rows of sums, `how.width` apart, become rows of outputs. A vector may reach into the next row, which is written
/// after it, but not over the band's end.
void write_rows(const ConvCall& conv, const Band& band, const float* sums, float* y) noexcept {
  const int64_t width = conv.window.axes[2].output;
  for (int64_t r = 0; r < band.rows; ++r, sums += conv.direct->width, y += width) {
    const bool has_room = (band.rows - r) * width >= (width + kLanes - 1) / kLanes * kLanes;
    for (int64_t c = 0; c < width; c += kLanes) {
      const Vec value = activate(conv.activation, load(sums + c));
      if (has_room || width - c >= kLanes) {
        store(y + c, value);
      } else {
        store_first(y + c, value, width - c);
      }
    }
  }
}

void convolve_band(const Task& task, const Band& band, float* scratch) noexcept {
  const ConvCall& conv = task.conv;
  const DirectConv& how = *conv.direct;
  const int64_t group = band.plane % conv.groups;
  copy_band(task, band, scratch);
  Shifted product;
  product.m = conv.outputs;
  product.n = how.places_of(band.rows, kLanes);
  product.k = task.terms;
  product.tiles = conv.packed + group * conv.outputs * task.terms;
  product.from = scratch;
  product.offsets = how.offsets;
  product.bias = task.bias != nullptr ? task.bias + group * conv.outputs : nullptr;
  product.c = scratch + how.source;
  multiply_shifted(product);
  const int64_t row = conv.window.axes[2].output;
  float* y = task.y + band.plane * conv.outputs * conv.window.outputs() + band.first * row;
  for (int64_t m = 0; m < conv.outputs; ++m) {
    write_rows(conv, band, product.c + m * product.n, y + m * conv.window.outputs());
  }
}

/// Bands are cut into as many runs as there are slots; a thread's runs all use the slot of its first one.
void convolve_directly(const OpCall& call, const Task& task) noexcept {
  const ConvCall& conv = task.conv;
  const DirectConv& how = *conv.direct;
  const int64_t bands = conv.batch * conv.groups * how.bands;
  const int64_t rows = conv.window.axes[1].output;
  const auto body = [&](int64_t begin, int64_t end) {
    float* scratch = reinterpret_cast<float*>(call.scratch) + begin * how.slot;
    const int64_t planes = conv.channels * how.phases[0] * how.phases[1];
    fill_zero(scratch, planes * how.plane(), how.source);  // read for places in vain; what they give is not looked at
    for (int64_t i = begin * bands / how.slots; i < end * bands / how.slots; ++i) {
      const int64_t first = i % how.bands * how.rows;
      convolve_band(task, {i / how.bands, first, rows - first < how.rows ? rows - first : how.rows}, scratch);
    }
  };
  const int64_t work = conv.outputs * how.places * (task.terms + 1) * (bands / how.slots) + 1;
  parallel_for(call.pool, how.slots, grain_of(work, kMultiplyAddsPerNanosecond), body);
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
  if (conv.direct != nullptr) return convolve_directly(call, task);
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
  parallel_for(call.pool, conv.batch * conv.groups * panels, grain_of(work, kMultiplyAddsPerNanosecond), body);
}

}  // namespace slipway::SLIPWAY_ISA
