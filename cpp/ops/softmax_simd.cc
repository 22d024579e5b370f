// Softmax of float32; float64 stays with the scalar kernel.
#include "ops/softmax_simd.h"

namespace slipway::SLIPWAY_ISA {

void softmax(const OpCall& call) noexcept {
  if (call.inputs[0].dtype != DType::kFloat32) return scalar::softmax(call);
  for_each_strip(call, []<bool IsRow>(const Strip& strip) {
    const Vec largest = largest_of<IsRow>(strip);
    CarriedSum sum;
    strip.for_each([&](int64_t at, int64_t count) {
      const Vec e = Difference(strip.read(at, count), largest).exp();
      strip.write(at, e, count);
      sum.add(e);
    });
    const Vec whole = sum_of<IsRow>(sum);
    strip.for_each([&](int64_t at, int64_t count) {
      const Vec e = count == kLanes ? load(strip.y + at) : load_first(strip.y + at, count);
      strip.write(at, e / whole, count);
    });
  });
}

}  // namespace slipway::SLIPWAY_ISA
