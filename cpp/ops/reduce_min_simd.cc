// ReduceMin of float32; other types stay with the scalar kernel.
#include "ops/reduce_simd.h"

namespace slipway {

namespace scalar {

void reduce_min(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void reduce_min(const OpCall& call) noexcept {
  reduce(call, scalar::reduce_min,
         [](const auto& terms) { return terms.template fold<Smaller>([](Vec x, int) { return x; }); });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
