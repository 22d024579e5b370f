// Softmax of float32; float64 stays with the scalar kernel.
#include "ops/softmax_simd.h"

namespace slipway::SLIPWAY_ISA {

namespace {

/// x / divisor, for one divisor of many x.
class Quotient {
 public:
  [[gnu::always_inline]] explicit Quotient(Vec divisor) noexcept
      : divisor_(divisor), inverse_(broadcast(1.0f) / divisor) {}

  [[nodiscard, gnu::always_inline]] Vec of(Vec x) const noexcept {
    if constexpr (kLanes == 4) return x / divisor_;  // where multiply-add may not be fused, and a division is short
    const Vec near = x * inverse_;
    return fma(fma(-near, divisor_, x), inverse_, near);
  }

 private:
  Vec divisor_;
  Vec inverse_;
};

}  // namespace

void softmax(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32) return scalar::softmax(call);
  for_each_strip(call, []<bool IsRow>(const Strip& strip) {
    const Vec largest = largest_of<IsRow>(strip);
    CarriedSum sum[kParts];
    strip.for_each([&](int64_t at, int64_t count, int part) {
      const Vec e = Difference(strip.read(at, count), largest).exp();
      strip.write(at, e, count);
      sum[part].add(e);
    });
    const Quotient quotient(sum_of<IsRow>(sum));
    strip.for_each([&](int64_t at, int64_t count, int) {
      const Vec e = count == kLanes ? load(strip.y + at) : load_first(strip.y + at, count);
      strip.write(at, quotient.of(e), count);
    });
  });
}

}  // namespace slipway::SLIPWAY_ISA
