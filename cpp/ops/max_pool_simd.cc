// MaxPool without indices: one vector is kLanes neighbouring outputs, for strides 1 and 2 along the row; what reaches
// into the padding, and other strides, go one by one.
#include "ops/call.h"
#include "ops/pool.h"
#include "simd/vec.h"

namespace slipway::SLIPWAY_ISA {

namespace {

/// Comparisons below which waking a thread costs more than it saves.
constexpr int64_t kThreadWork = int64_t{1} << 19;

/// The larger of both; a NaN in either wins, and that of `a` stays.
[[gnu::always_inline]] inline Vec larger(Vec a, Vec b) noexcept { return (b <= a) | (a != a) ? a : b; }
[[gnu::always_inline]] inline float larger(float a, float b) noexcept { return b <= a || a != a ? a : b; }

/// p[0], p[2], p[4], ...; reads nothing behind the last of them.
[[gnu::always_inline]] inline Vec load_even(const float* p) noexcept {
  VecInt places{};
  for (int i = 0; i < kLanes; ++i) places[i] = i < kLanes / 2 ? 2 * i : 2 * i + 1;
  return __builtin_shuffle(load(p), load(p + kLanes - 1), places);
}

/// One row of outputs: the planes and rows of its window are known, all of them inside.
struct Row {
  const Window& window;
  const float* x;  // the plane
  Taps planes;
  Taps rows;
  int64_t z;  // input position of tap 0, which may lie outside
  int64_t y;

  /// Calls f(p) with the input of every plane and row of the window, seen from column 0.
  template <typename F>
  [[gnu::always_inline]] void for_each_line(const F& f) const noexcept {
    const auto& [d, h, w] = window.axes;
    for (int64_t i = planes.begin; i < planes.end; ++i) {
      for (int64_t j = rows.begin; j < rows.end; ++j) {
        f(x + ((z + i * d.dilation) * h.input + y + j * h.dilation) * w.input);
      }
    }
  }
};

float pool_one(const Row& row, int64_t o) noexcept {
  const WindowAxis& w = row.window.axes[2];
  const Taps taps = taps_within(w, o, w.input);
  float best = -__builtin_inff();
  row.for_each_line([&](const float* line) {
    for (int64_t k = taps.begin; k < taps.end; ++k) {
      best = larger(best, line[o * w.stride - w.begin + k * w.dilation]);
    }
  });
  return best;
}

template <int Stride>
Vec pool_vector(const Row& row, int64_t o) noexcept {
  const WindowAxis& w = row.window.axes[2];
  Vec best = broadcast(-__builtin_inff());
  row.for_each_line([&](const float* line) {
    for (int64_t k = 0; k < w.kernel; ++k) {
      const float* p = line + o * Stride - w.begin + k * w.dilation;
      best = larger(best, Stride == 1 ? load(p) : load_even(p));
    }
  });
  return best;
}

void pool_row(const Row& row, float* out) noexcept {
  const WindowAxis& w = row.window.axes[2];
  // Outputs [begin, end) have every tap inside the row.
  const int64_t last = w.input - 1 - (w.kernel - 1) * w.dilation + w.begin;
  const int64_t begin = (w.begin + w.stride - 1) / w.stride;
  const int64_t end = last < 0 ? 0 : last / w.stride + 1 < w.output ? last / w.stride + 1 : w.output;
  int64_t o = 0;
  for (; o < w.output && o < begin; ++o) out[o] = pool_one(row, o);
  for (; w.stride == 1 && o + kLanes <= end; o += kLanes) store(out + o, pool_vector<1>(row, o));
  for (; w.stride == 2 && o + kLanes <= end; o += kLanes) store(out + o, pool_vector<2>(row, o));
  for (; o < w.output; ++o) out[o] = pool_one(row, o);
}

}  // namespace

void max_pool(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32 || call.has_output(1)) return scalar::max_pool(call);
  const auto& pool = call.as<PoolCall>();
  const auto& [d, h, w] = pool.window.axes;
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const float* x = call.inputs[0].as<float>() + plane * pool.window.inputs();
      float* out = call.outputs[0].as<float>() + plane * pool.window.outputs();
      for (int64_t i = 0; i < d.output; ++i) {
        for (int64_t j = 0; j < h.output; ++j, out += w.output) {
          pool_row({pool.window, x, taps_within(d, i, d.input), taps_within(h, j, h.input), i * d.stride - d.begin,
                    j * h.stride - h.begin},
                   out);
        }
      }
    }
  };
  const int64_t work = pool.window.outputs() * pool.window.taps();
  parallel_for(call.pool, pool.planes, 1 + kThreadWork / (work + 1), body);
}

}  // namespace slipway::SLIPWAY_ISA
