// ReduceL2 of float32; float64 stays with the scalar kernel.
#include "ops/reduce_squares_simd.h"

namespace slipway {

namespace scalar {

void reduce_l2(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void reduce_l2(const OpCall& call) noexcept {
  reduce(call, scalar::reduce_l2, [](const auto& terms) {
    const auto squares = squares_of(terms);
    return each([](Vec sum, Vec unit) { return sqrt(sum) * unit; }, squares.sum, squares.unit);
  });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
