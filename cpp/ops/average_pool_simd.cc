// AveragePool of float32: sums of windows, which the padding leaves as they are, divided by their counts.
#include "ops/pool_simd.h"
#include "simd/map.h"

namespace slipway::SLIPWAY_ISA {

namespace {

/// Elements of output `o` along an axis.
int64_t count_of(const PoolCall& pool, const WindowAxis& axis, int64_t o) noexcept {
  // Every window begins within the padding before the input, so only its end can lie outside.
  if (pool.counts_padding) return taps_within(axis, o, axis.input + axis.end).end;
  const Taps taps = taps_within(axis, o, axis.input);
  return taps.end - taps.begin;
}

struct Average {
  static constexpr bool kRounds = true;
  static constexpr float kNothing = 0.0f;

  template <typename T>
  [[gnu::always_inline]] static T fold(T a, T b) noexcept {
    return a + b;
  }
  /// Sums begin at 0, so none is -0.
  template <typename T>
  [[gnu::always_inline]] static T finish_pairs(T x) noexcept {
    return x * 0.25f + 0.0f;
  }
  /// Windows between two whole ones are whole.
  static void finish_row(const PoolCall& pool, const Lines& lines, float* out) noexcept {
    const WindowAxis& w = lines.w;
    const int64_t others = count_of(pool, lines.d, lines.i) * count_of(pool, lines.h, lines.j);
    const auto divide = [&](int64_t o) { out[o] /= static_cast<float>(others * count_of(pool, w, o)); };
    int64_t begin = 0;
    int64_t end = w.output;
    for (; begin < end && count_of(pool, w, begin) < w.kernel; ++begin) divide(begin);
    for (; begin < end && count_of(pool, w, end - 1) < w.kernel; --end) divide(end - 1);
    const Vec whole = broadcast(static_cast<float>(others * w.kernel));
    map(nullptr, out + begin, out + begin, end - begin, [&](Vec sum) { return sum / whole; });
  }
};

}  // namespace

void average_pool(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32 || !fits(call.as<PoolCall>())) return scalar::average_pool(call);
  pool<Average>(call);
}

}  // namespace slipway::SLIPWAY_ISA
