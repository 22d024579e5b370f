// Pow:  y = a ^ b
//
// ONNX Pow, opsets 13 to 24. a, b: broadcast as in numpy; a and y float32, float64, int64 or int32; b any number.
// Integers: a wrapping product for b >= 0; towards zero for b < 0, where 0 is a fault; a floating-point b is computed
// in double and cut, kept within the type.
#include <cmath>

#include "ops/convert.h"
#include "ops/elementwise.h"
#include "ops/integer_power.h"

namespace slipway {

void infer_pow(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(2, 2, 1, 1);
  require_types(context, 0, WideNumbers{});
  require_types(context, 1, Numbers{});
  infer_broadcast(context, 2, context.dtype(0));
}

std::shared_ptr<const void> prepare_pow(PrepareContext& context) { return prepare_broadcast<2>(context); }

namespace scalar {

namespace {

template <typename T, typename E>
T power(const OpCall& call, T base, E exponent) noexcept {
  if constexpr (std::is_integral_v<T> && std::is_integral_v<E>) {
    return integer_power(base, static_cast<int64_t>(exponent), [&] { return report_zero_divisor<T>(call); });
  } else {
    return convert<T>(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
}

}  // namespace

void pow(const OpCall& call) noexcept {
  dispatch(WideNumbers{}, call.inputs[0].dtype, [&]<typename T>() {
    dispatch(Numbers{}, call.inputs[1].dtype, [&]<typename E>() {
      map_pairs(call.as<Walk<2>>(), call.inputs[0].as<T>(), call.inputs[1].as<E>(), call.outputs[0].as<T>(),
                [&](T base, E exponent) { return power(call, base, exponent); });
    });
  });
}

}  // namespace scalar
}  // namespace slipway
