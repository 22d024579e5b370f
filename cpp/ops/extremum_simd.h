// Max and Min of float32, input by input.
#pragma once

#include "ops/elementwise_simd.h"
#include "ops/extremum.h"

namespace slipway::SLIPWAY_ISA {
namespace {

/// y = the first input, then y = better(y, x) or NaN where x is NaN, which y stays.
template <typename F>
void fold_inputs(const OpCall& call, const F& better) noexcept {
  const auto& extremum = call.as<ExtremumCall>();
  float* y = call.outputs[0].as<float>();
  const auto keep = [](Vec, Vec x) { return x; };
  const auto fold = [&](Vec best, Vec x) { return x != x ? x : better(best, x); };
  const auto take = [&](int64_t n, int64_t begin, int64_t end, const auto& f) {
    const Walk<1>& walk = extremum.walks[n];
    const float* x = call.inputs[static_cast<std::size_t>(n)].as<float>();
    walk.for_each_run(begin, end, [&](int64_t i, int64_t count, const Steps<1>& at) {
      if (walk.inner_strides()[0] == 0) return map_run<false, true>(y + i, x + at[0], y + i, count, f);
      map_run<false, false>(y + i, x + at[0], y + i, count, f);
    });
  };
  const int64_t count = call.outputs[0].shape.count();
  parallel_for(call.pool, count, grain_of(extremum.inputs, kLightPerNanosecond), [&](int64_t begin, int64_t end) {
    take(0, begin, end, keep);
    for (int64_t n = 1; n < extremum.inputs; ++n) take(n, begin, end, fold);
  });
}

}  // namespace
}  // namespace slipway::SLIPWAY_ISA
