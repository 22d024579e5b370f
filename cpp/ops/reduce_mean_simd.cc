// ReduceMean of float32; other types stay with the scalar kernel.
#include "ops/reduce_simd.h"

namespace slipway {

namespace scalar {

void reduce_mean(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void reduce_mean(const OpCall& call) noexcept {
  const Vec count = broadcast(static_cast<float>(call.as<ReduceWalks>().reduced.count()));
  reduce(call, scalar::reduce_mean, [&](const auto& terms) {
    return each([&](Vec sum) { return sum / count; }, terms.template fold<Total>([](Vec x, int) { return x; }));
  });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
