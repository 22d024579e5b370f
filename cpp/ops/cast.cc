// Cast:  y = x in another element type.
//
// ONNX Cast, opsets 13 to 24. x, y: any shape; any type the engine has. To bool: everything but 0 is true, NaN too.
// Floating point to integer cuts towards zero; beyond the type, where ONNX leaves it open, see convert.h. `saturate`
// and `round_mode` concern 8-bit floating point only and are passed over.
#include "ops/convert.h"
#include "ops/elementwise.h"

namespace slipway {

void infer_cast(InferContext& context) {
  context.allow_attributes({"to", "saturate", "round_mode"});
  context.require_counts(1, 1, 1, 1);
  require_types(context, 0, AnyType{});
  const int64_t to = context.require_int("to");
  const DType dtype = dtype_from_onnx(to);
  if (dtype == DType::kNone) {
    context.refuse("attribute to asks for ONNX type ", to,
                   ", supported are float32, float64, int64, int32, int8, uint8 and bool");
  }
  infer_broadcast(context, 1, dtype);
}

std::shared_ptr<const void> prepare_cast(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

namespace {

constexpr int64_t kBlock = 256;

/// Whether all of x are within the integers of type T, cut or not.
template <typename T, typename From>
[[nodiscard]] bool all_fit(const From* x, int64_t count) noexcept {
  constexpr From kHigh = static_cast<From>(kMost<T> / 2 + 1) * From{2};
  constexpr From kLow = std::is_signed_v<T> ? -kHigh : From{-1};
  int outside = 0;
  for (int64_t i = 0; i < count; ++i) outside |= static_cast<int>(!((x[i] > kLow) & (x[i] < kHigh)));
  return outside == 0;
}

/// Floating point to integers. Compilers make vectors of conversions to int32, of those with cases for NaN and what is
/// beyond the type they do not.
template <typename To, typename From>
void cut_all(const From* x, To* y, int64_t size) noexcept {
  using Narrow = std::conditional_t<std::is_same_v<To, int64_t>, int32_t, To>;
  for (int64_t begin = 0; begin < size; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, size);
    if (all_fit<Narrow>(x + begin, end - begin)) {
      for (int64_t i = begin; i < end; ++i) y[i] = static_cast<To>(static_cast<int32_t>(x[i]));
    } else {
      for (int64_t i = begin; i < end; ++i) y[i] = convert<To>(x[i]);
    }
  }
}

// A bool is read as a byte, so that any non-zero one is true.
template <typename From, typename To>
void convert_all(const OpCall& call) noexcept {
  using Stored = std::conditional_t<std::is_same_v<From, bool>, uint8_t, From>;
  const auto x = call.inputs[0].span<Stored>();
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To> && !std::is_same_v<To, bool>) {
    return cut_all(x.data(), call.outputs[0].as<To>(), call.inputs[0].shape.count());
  }
  std::transform(x.begin(), x.end(), call.outputs[0].as<To>(), [](Stored value) {
    if constexpr (std::is_same_v<From, bool>) return static_cast<To>(value != 0);
    return convert<To>(value);
  });
}

}  // namespace

void cast(const OpCall& call) noexcept {
  dispatch(AnyType{}, call.inputs[0].dtype, [&]<typename From>() {
    dispatch(AnyType{}, call.outputs[0].dtype, [&]<typename To>() { convert_all<From, To>(call); });
  });
}

}  // namespace scalar
}  // namespace slipway
