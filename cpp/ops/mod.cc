// Mod:  y = the remainder of a / b, with the sign of b, or with that of a where `fmod` is 1.
//
// ONNX Mod, opsets 13 to 24. a, b: broadcast as in numpy; float32, float64 (both only with `fmod` 1), int64, int32,
// int8 or uint8. An integer divisor of 0 is a fault.
#include <cmath>

#include "ops/elementwise.h"
#include "ops/prepared.h"

namespace slipway {

namespace {

/// The quotient of two float32 is not rounded over a whole number below 2^27, and every step after it is exact.
[[nodiscard]] float float_remainder(float a, float b) noexcept {
  const double quotient = static_cast<double>(a) / static_cast<double>(b);
  if (std::fabs(quotient) < 0x1p27 && std::fabs(b) <= std::numeric_limits<float>::max()) {
    const double whole = static_cast<int32_t>(quotient);
    return static_cast<float>(std::copysign(a - whole * b, a));
  }
  return std::fmod(a, b);
}

template <typename T>
T remainder_of(const OpCall& call, T a, T b, bool sign_of_dividend) noexcept {
  if constexpr (std::is_same_v<T, float>) {
    return float_remainder(a, b);
  } else if constexpr (std::is_floating_point_v<T>) {
    return std::fmod(a, b);
  } else {
    if (b == 0) return scalar::report_zero_divisor<T>(call);
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return 0;  // the smallest integer / -1 overflows
    }
    const T r = static_cast<T>(a % b);
    const bool signs_differ = r != 0 && (r < 0) != (b < 0);
    return !sign_of_dividend && signs_differ ? static_cast<T>(r + b) : r;
  }
}

}  // namespace

void infer_mod(InferContext& context) {
  context.allow_attributes({"fmod"});
  context.require_counts(2, 2, 1, 1);
  require_types(context, 0, Numbers{});
  context.require_same_dtype({0, 1});
  const bool is_float = context.dtype(0) == DType::kFloat32 || context.dtype(0) == DType::kFloat64;
  if (context.get_int_in("fmod", 0, 0, 1) == 0 && is_float) context.reject("floating point needs fmod 1, got 0");
  infer_broadcast(context, 2, context.dtype(0));
}

std::shared_ptr<const void> prepare_mod(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const ModPrepared>(ModPrepared{broadcast_walk<2>(context), context.get_int("fmod", 0) != 0});
}

namespace scalar {

void mod(const OpCall& call) noexcept {
  const auto& prepared = call.as<ModPrepared>();
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename T>() {
    map_pairs(prepared.walk, call.inputs[0].as<T>(), call.inputs[1].as<T>(), call.outputs[0].as<T>(),
              [&](T a, T b) { return remainder_of(call, a, b, prepared.sign_of_dividend); });
  });
}

}  // namespace scalar
}  // namespace slipway
