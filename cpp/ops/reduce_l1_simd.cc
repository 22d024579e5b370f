// ReduceL1 of float32; other types stay with the scalar kernel.
#include "ops/reduce_simd.h"

namespace slipway {

namespace scalar {

void reduce_l1(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void reduce_l1(const OpCall& call) noexcept {
  reduce(call, scalar::reduce_l1,
         [](const auto& terms) { return terms.template fold<Total>([](Vec x, int) { return abs(x); }); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
