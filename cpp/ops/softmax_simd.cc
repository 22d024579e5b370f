// Softmax of float32; float64 stays with the scalar kernel.
#include "ops/softmax_simd.h"

namespace slipway::SLIPWAY_ISA {

namespace {

/// x / divisor, for one divisor of many x.
class Quotient {
 public:
  [[gnu::always_inline]] explicit Quotient(Vec divisor) noexcept
      : divisor_(divisor), inverse_(broadcast(1.0f) / divisor) {}

  [[nodiscard, gnu::always_inline]] Pair of(const Pair& x) const noexcept {
    if constexpr (kLanes == 4) return x / divisor_;  // where multiply-add may not be fused, and a division is short
    const Pair near = x * inverse_;
    return fma(fma(-near, divisor_, x), inverse_, near);
  }

 private:
  Vec divisor_;
  Vec inverse_;
};

}  // namespace

void softmax(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32) return scalar::softmax(call);
  const auto sum = []<bool IsRow>(const Strip& strip, Vec largest) {
    CarriedSum total;
    strip.for_each([&](const Strip::Place& place) {
      const Pair e = Difference(strip.read(place), largest).exp();
      strip.write(place, e);
      total.add(e);
    });
    return total.value<IsRow>();
  };
  for_each_strip(call, sum, [](const Strip& strip, Vec total) {
    const Quotient quotient(total);
    const Strip written{strip.y, strip.y, strip.whole, strip.step, strip.lanes, strip.rest};
    strip.for_each([&](const Strip::Place& place) { strip.write(place, quotient.of(written.read(place))); });
  });
}

}  // namespace slipway::SLIPWAY_ISA
