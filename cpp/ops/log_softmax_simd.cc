// LogSoftmax of float32; float64 stays with the scalar kernel.
#include "ops/softmax_simd.h"

namespace slipway::SLIPWAY_ISA {

namespace {

/// In two parts: where an x is near it, its distance from the first one is exact, and the second one keeps the digits
/// of a difference that is next to nothing.
struct Normalizer {
  Vec high;
  Vec low;
};

/// m + log(1 + x), of the first lanes.
Normalizer normalizer_of(Vec m, Vec x, int64_t lanes) noexcept {
  Normalizer y{};
  for (int64_t i = 0; i < lanes; ++i) {
    const double log = __builtin_log1p(static_cast<double>(x[i]));
    y.high[i] = static_cast<float>(static_cast<double>(m[i]) + log);
    y.low[i] = static_cast<float>((static_cast<double>(m[i]) - static_cast<double>(y.high[i])) + log);
  }
  return y;
}

}  // namespace

void log_softmax(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32) return scalar::log_softmax(call);
  const auto sum = []<bool IsRow>(const Strip& strip, Vec largest) {
    // The largest ones give 1 each. They are counted apart, so that a sum barely above 1 keeps its digits.
    CarriedSum others;
    CarriedSum ones;
    strip.for_each([&](const Strip::Place& place) {
      const Difference difference(strip.read(place), largest);
      const Pair e = difference.exp();
      const VecInt is_first = difference.high.first == 0.0f;
      const VecInt is_second = difference.high.second == 0.0f;
      const Vec zero = broadcast(0.0f);
      const Vec one = broadcast(1.0f);
      others.add({is_first ? zero : e.first, is_second ? zero : e.second});
      ones.add({is_first ? one : zero, is_second ? one : zero});
    });
    const Vec more = others.value<IsRow>() + (ones.value<IsRow>() - broadcast(1.0f));
    const Normalizer normalizer = normalizer_of(largest, more, IsRow ? 1 : strip.lanes);
    return IsRow ? Normalizer{broadcast(normalizer.high[0]), broadcast(normalizer.low[0])} : normalizer;
  };
  for_each_strip(call, sum, [](const Strip& strip, const Normalizer& normalizer) {
    strip.for_each(
        [&](const Strip::Place& place) { strip.write(place, (strip.read(place) - normalizer.high) - normalizer.low); });
  });
}

}  // namespace slipway::SLIPWAY_ISA
