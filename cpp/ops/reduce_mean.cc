// ReduceMean:  y = sum of x / their number; integers are cut; NaN of nothing, a fault for integers.
//
// ONNX ReduceMean, opsets 13 to 24 (`axes` an attribute before 18, an input since). x: float32, float64, int64 or
// int32; reduced axes are kept with size 1 unless `keepdims` is 0.
#include <cmath>

#include "ops/reduce.h"

namespace slipway {

void infer_reduce_mean(InferContext& context) { infer_reduce(context, WideNumbers{}); }

std::shared_ptr<const void> prepare_reduce_mean(PrepareContext& context) { return prepare_reduce(context); }

namespace scalar {

void reduce_mean(const OpCall& call) noexcept {
  const auto divide = [&](auto sum, int64_t count) {
    using Sum = decltype(sum);
    if constexpr (std::is_floating_point_v<Sum>) {
      return sum / static_cast<Sum>(count);
    } else {
      return count == 0 ? report_zero_divisor<Sum>(call) : static_cast<Sum>(sum / count);
    }
  };
  reduce_sum_of(call, WideNumbers{}, [](auto x) { return x; }, divide);
}

}  // namespace scalar
}  // namespace slipway
