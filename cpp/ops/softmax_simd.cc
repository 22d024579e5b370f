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
  for_each_strip(call, []<bool IsRow>(const Strip* strips, int64_t count) {
    Vec largest[kStrips];
    Vec total[kStrips];
    Vec rest[kStrips];  // of a row, its last lanes: what was just written is not at hand in another width
    for (int64_t i = 0; i < count; ++i) largest[i] = largest_of<IsRow>(strips[i]);
    for (int64_t i = 0; i < count; ++i) {
      const Strip& strip = strips[i];
      CarriedSum sum[kParts];
      strip.for_each([&](int64_t at, int64_t lanes, int part) {
        const Vec e = Difference(strip.read(at, lanes), largest[i]).exp();
        if (!IsRow || lanes == kLanes) {
          strip.write(at, e, lanes);
        } else {
          rest[i] = e;
        }
        sum[part].add(e);
      });
      total[i] = sum_of<IsRow>(sum);
    }
    for (int64_t i = 0; i < count; ++i) {
      const Strip& strip = strips[i];
      const Quotient quotient(total[i]);
      strip.for_each([&](int64_t at, int64_t lanes, int) {
        const Vec e = lanes == kLanes ? load(strip.y + at) : IsRow ? rest[i] : load_first(strip.y + at, lanes);
        strip.write(at, quotient.of(e), lanes);
      });
    }
  });
}

}  // namespace slipway::SLIPWAY_ISA
