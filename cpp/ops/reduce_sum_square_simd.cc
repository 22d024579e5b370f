// ReduceSumSquare of float32; other types stay with the scalar kernel.
#include "ops/reduce_squares_simd.h"

namespace slipway {

namespace scalar {

void reduce_sum_square(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void reduce_sum_square(const OpCall& call) noexcept {
  reduce(call, scalar::reduce_sum_square, [](const auto& terms) {
    const auto squares = squares_of(terms);
    return each([](Vec sum, Vec unit) { return sum * unit * unit; }, squares.sum, squares.unit);
  });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
