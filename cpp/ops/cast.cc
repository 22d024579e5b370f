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

// A bool is read as a byte, so that any non-zero one is true.
template <typename From, typename To>
void convert_all(const OpCall& call) noexcept {
  using Stored = std::conditional_t<std::is_same_v<From, bool>, uint8_t, From>;
  const auto x = call.inputs[0].span<Stored>();
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
