// LogSoftmax of float32; float64 stays with the scalar kernel.
#include "ops/softmax_simd.h"

namespace slipway::SLIPWAY_ISA {

namespace {

struct Logarithm {
  Vec high;
  Vec low;
};

/// log(1 + x) in two parts, of the first lanes.
Logarithm log_of_more(Vec x, int64_t lanes) noexcept {
  Logarithm y{};
  for (int64_t i = 0; i < lanes; ++i) {
    const double log = __builtin_log1p(static_cast<double>(x[i]));
    y.high[i] = static_cast<float>(log);
    y.low[i] = static_cast<float>(log - static_cast<double>(y.high[i]));
  }
  return y;
}

}  // namespace

void log_softmax(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32) return scalar::log_softmax(call);
  for_each_strip(call, []<bool IsRow>(const Strip& strip) {
    const Vec largest = largest_of<IsRow>(strip);
    // The largest ones give 1 each. They are counted apart, so that a sum barely above 1 keeps its digits.
    CarriedSum others;
    CarriedSum ones;
    strip.for_each([&](int64_t at, int64_t count) {
      const Difference difference(strip.read(at, count), largest);
      const VecInt is_one = difference.high == 0.0f;
      others.add(is_one ? broadcast(0.0f) : difference.exp());
      ones.add(is_one ? broadcast(1.0f) : broadcast(0.0f));
    });
    const Vec more = sum_of<IsRow>(others) + (sum_of<IsRow>(ones) - broadcast(1.0f));
    Logarithm log = log_of_more(more, IsRow ? 1 : strip.lanes);
    if (IsRow) log = {broadcast(log.high[0]), broadcast(log.low[0])};
    strip.for_each([&](int64_t at, int64_t count) {
      const Difference difference(strip.read(at, count), largest);
      strip.write(at, (difference.high - log.high) + (difference.low - log.low), count);
    });
  });
}

}  // namespace slipway::SLIPWAY_ISA
