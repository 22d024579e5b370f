// ReduceLogSumExp of float32; float64 stays with the scalar kernel.
#include "ops/reduce_simd.h"
#include "simd/math.h"

namespace slipway {

namespace scalar {

void reduce_log_sum_exp(const OpCall& call) noexcept;

}  // namespace scalar

namespace SLIPWAY_ISA {

void reduce_log_sum_exp(const OpCall& call) noexcept {
  // The largest x is taken out, so that exp never overflows: log(sum) = m + log(sum of exp(x - m)). An infinite one is
  // the result.
  reduce(call, scalar::reduce_log_sum_exp, [](const auto& terms) {
    const auto largest = terms.template fold<Larger>([](Vec x, int) { return x; });
    const auto finite = each([](Vec m) { return m - m == 0.0f ? m : broadcast(0.0f); }, largest);
    const auto sum = terms.template fold<Total>([&](Vec x, int place) { return exp(x - finite.at(place)); });
    return each([](Vec m, Vec s) { return m - m == 0.0f ? m + log(s) : m; }, largest, sum);
  });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
