// ReduceMax of float32; other types stay with the scalar kernel.
#include "ops/reduce_simd.h"

namespace slipway {

namespace scalar {

void reduce_max(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void reduce_max(const OpCall& call) noexcept {
  reduce(call, scalar::reduce_max,
         [](const auto& terms) { return terms.template fold<Larger>([](Vec x, int) { return x; }); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
