// Max and Min of any number of inputs: shape rule and loop. NaN in any input gives NaN.
#pragma once

#include <memory>
#include <vector>

#include "ops/elementwise.h"

namespace slipway {

void infer_extremum(InferContext& context);
/// One walk per input, each over the whole output.
[[nodiscard]] std::shared_ptr<const void> prepare_extremum(PrepareContext& context);

namespace scalar {

/// y = the first input, then y = x wherever is_better(x, y) or x is NaN.
template <typename F>
void fold_inputs(const OpCall& call, const F& is_better) noexcept {
  const auto& walks = call.as<std::vector<Walk<1>>>();
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename T>() {
    T* y = call.outputs[0].as<T>();
    for (std::size_t n = 0; n < walks.size(); ++n) {
      const T* x = call.inputs[n].as<T>();
      walks[n].for_each([&](int64_t i, const Walk<1>::Offsets& at) {
        const T next = x[at[0]];
        if (n == 0 || next != next || is_better(next, y[i])) y[i] = next;
      });
    }
  });
}

}  // namespace scalar
}  // namespace slipway
