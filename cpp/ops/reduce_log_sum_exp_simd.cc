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
    const auto finite = each(largest, [](Vec m) { return m - m == 0.0f ? m : broadcast(0.0f); });
    auto result = terms.template fold<Total>([&](Vec x, int v) { return exp(x - finite.v[v]); });
    for (int v = 0; v < terms.kVecs; ++v) {
      const Vec m = largest.v[v];
      result.v[v] = m - m == 0.0f ? m + log(result.v[v]) : m;
    }
    return result;
  });
}

}  // namespace SLIPWAY_ISA
}  // namespace slipway
