// ArgMax and ArgMin: the place of the largest or smallest element along an axis. NaN wins over every number.
#pragma once

#include "ops/elementwise.h"
#include "ops/prepared.h"

namespace slipway {

void infer_arg_extremum(InferContext& context);
[[nodiscard]] std::shared_ptr<const void> prepare_arg_extremum(PrepareContext& context);

namespace scalar {

/// Place of the best of x[0], x[stride], ...; of equals the first, or the last where it is asked for.
template <typename T, typename F>
[[nodiscard]] int64_t find_best(const T* x, int64_t size, int64_t stride, bool takes_last,
                                const F& is_better) noexcept {
  int64_t best = 0;
  for (int64_t i = 1; i < size; ++i) {
    const T next = x[i * stride];
    const T held = x[best * stride];
    const bool is_equal = next == held || (next != next && held != held);
    const bool wins = is_equal ? takes_last : next != next || (held == held && is_better(next, held));
    if (wins) best = i;
  }
  return best;
}

template <typename F>
void arg_extremum(const OpCall& call, const F& is_better) noexcept {
  const auto [axis, takes_last] = call.as<ArgExtremumPrepared>();
  const Split x = split_at(call.inputs[0].shape, axis);
  auto* y = call.outputs[0].as<int64_t>();
  dispatch(Numbers{}, call.inputs[0].dtype, [&, last = takes_last]<typename T>() {
    for (int64_t o = 0; o < x.outer; ++o) {
      for (int64_t i = 0; i < x.inner; ++i) {
        const T* line = call.inputs[0].as<T>() + o * x.axis * x.inner + i;
        y[o * x.inner + i] = find_best(line, x.axis, x.inner, last, is_better);
      }
    }
  });
}

}  // namespace scalar
}  // namespace slipway
