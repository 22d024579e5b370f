// ReduceSum of float32; other types stay with the scalar kernel.
#include "ops/reduce_simd.h"

namespace slipway {

namespace scalar {

void reduce_sum(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void reduce_sum(const OpCall& call) noexcept {
  reduce(call, scalar::reduce_sum,
         [](const auto& terms) { return terms.template fold<Total>([](Vec x, int) { return x; }); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
