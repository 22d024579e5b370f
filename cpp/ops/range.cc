// Range:  y = start, start + delta, start + 2 * delta, ... as long as limit is not reached.
//
// ONNX Range, opsets 13 to 24. start, limit, delta: one number each, of one type: float32, float64, int64 or int32;
// delta is not 0. y: [max(ceil((limit - start) / delta), 0)], for floating point computed in double, each element
// rounded once.
#include <cmath>

#include "ops/elementwise.h"
#include "ops/shapes.h"

namespace slipway {

namespace {

int64_t count_integers(int64_t start, int64_t limit, int64_t delta) {
  if (delta > 0 ? start >= limit : start <= limit) return 0;
  const uint64_t distance = delta > 0 ? static_cast<uint64_t>(limit) - static_cast<uint64_t>(start)
                                      : static_cast<uint64_t>(start) - static_cast<uint64_t>(limit);
  const uint64_t step = delta > 0 ? static_cast<uint64_t>(delta) : -static_cast<uint64_t>(delta);
  const uint64_t count = (distance - 1) / step + 1;
  if (count > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) fail(Code::kLimit, "the range is too long");
  return static_cast<int64_t>(count);
}

int64_t count_reals(double start, double limit, double delta) {
  const double count = std::ceil((limit - start) / delta);
  if (!(count < 0x1p62)) fail(Code::kLimit, "a range from ", start, " to ", limit, " by ", delta, " is too long");
  return count > 0 ? static_cast<int64_t>(count) : 0;
}

}  // namespace

void infer_range(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(3, 3, 1, 1);
  require_types(context, 0, WideNumbers{});
  context.require_same_dtype({0, 1, 2});
  for (const int i : {0, 1, 2}) require_one_element(context, i);
  const Tensor* start = context.value(0);
  const Tensor* limit = context.value(1);
  const Tensor* delta = context.value(2);
  if (start == nullptr || limit == nullptr || delta == nullptr) {
    return context.output_unknown(0, context.dtype(0), 1);
  }
  dispatch(WideNumbers{}, context.dtype(0), [&]<typename T>() {
    const T step = *delta->as<T>();
    if (step == 0) context.reject("delta is 0");
    const auto count = [&] {
      if constexpr (std::is_integral_v<T>) return count_integers(*start->as<T>(), *limit->as<T>(), step);
      return count_reals(*start->as<T>(), *limit->as<T>(), step);
    };
    context.output(0, context.dtype(0), {count()});
  });
}

std::shared_ptr<const void> prepare_range(PrepareContext& context) { return prepare_nothing(context); }

namespace scalar {

void range(const OpCall& call) noexcept {
  const int64_t count = call.outputs[0].shape.count();
  dispatch(WideNumbers{}, call.inputs[0].dtype, [&]<typename T>() {
    const T start = *call.inputs[0].as<T>();
    const T delta = *call.inputs[2].as<T>();
    T* y = call.outputs[0].as<T>();
    for (int64_t i = 0; i < count; ++i) {
      if constexpr (std::is_integral_v<T>) {
        y[i] = wrap_add(start, wrap_multiply(static_cast<T>(i), delta));
      } else {
        y[i] = static_cast<T>(static_cast<double>(start) + static_cast<double>(i) * static_cast<double>(delta));
      }
    }
  });
}

}  // namespace scalar
}  // namespace slipway
