// Max and Min of any number of inputs: shape rule and loop.
#pragma once

#include <memory>

#include "ops/elementwise.h"
#include "ops/extremum.h"

namespace slipway {

void infer_extremum(InferContext& context);
[[nodiscard]] std::shared_ptr<const void> prepare_extremum(PrepareContext& context);

namespace scalar {

/// y = the first input, then y = x wherever is_better(x, y) or x is NaN.
template <typename F>
void fold_inputs(const OpCall& call, const F& is_better) noexcept {
  const auto& extremum = call.as<ExtremumCall>();
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename T>() {
    T* y = call.outputs[0].as<T>();
    for (int64_t n = 0; n < extremum.inputs; ++n) {
      const T* x = call.inputs[static_cast<std::size_t>(n)].as<T>();
      extremum.walks[n].for_each([&](int64_t i, const Walk<1>::Offsets& at) {
        const T next = x[at[0]];
        if (n == 0 || next != next || is_better(next, y[i])) y[i] = next;
      });
    }
  });
}

}  // namespace scalar
}  // namespace slipway
