// CumSum:  y_i = x_0 + ... + x_i along an axis; without x_i where `exclusive`; from the end where `reverse`.
//
// ONNX CumSum, opsets 13 to 24. x: float32 (summed in double), float64, int64 or int32 (wrapping), rank 1 or more;
// axis: one int32 or int64, read when run; one that does not fit is a fault.
#include "ops/elementwise.h"
#include "ops/indexing.h"
#include "ops/prepared.h"

namespace slipway {

void infer_cum_sum(InferContext& context) {
  context.allow_attributes({"exclusive", "reverse"});
  context.require_counts(2, 2, 1, 1);
  require_types(context, 0, WideNumbers{});
  context.require_rank(0, 1, kMaxRank);
  require_indices(context, 1);
  require_one_element(context, 1);
  infer_broadcast(context, 1, context.dtype(0));
}

std::shared_ptr<const void> prepare_cum_sum(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const CumSumPrepared>(
      CumSumPrepared{context.get_int("exclusive", 0) != 0, context.get_int("reverse", 0) != 0});
}

namespace scalar {

namespace {

template <typename T>
void sum_line(const T* x, T* y, int64_t size, int64_t stride, bool exclusive) noexcept {
  using Sum = std::conditional_t<std::is_floating_point_v<T>, double, T>;
  Sum sum = 0;
  for (int64_t i = 0; i < size; ++i) {
    const Sum before = sum;
    sum = wrap_add(sum, static_cast<Sum>(x[i * stride]));
    y[i * stride] = static_cast<T>(exclusive ? before : sum);
  }
}

}  // namespace

void cum_sum(const OpCall& call) noexcept {
  const auto [exclusive, reverse] = call.as<CumSumPrepared>();
  const int64_t axis = checked_index(call, IndexList(call.inputs[1])[0], call.inputs[0].shape.rank());
  if (axis < 0) return;
  const Split shape = split_at(call.inputs[0].shape, axis);
  const int64_t first = reverse ? (shape.axis - 1) * shape.inner : 0;
  const int64_t stride = reverse ? -shape.inner : shape.inner;
  dispatch(WideNumbers{}, call.inputs[0].dtype, [&, drop = exclusive]<typename T>() {
    for (int64_t o = 0; o < shape.outer; ++o) {
      for (int64_t i = 0; i < shape.inner; ++i) {
        const int64_t at = o * shape.axis * shape.inner + first + i;
        sum_line(call.inputs[0].as<T>() + at, call.outputs[0].as<T>() + at, shape.axis, stride, drop);
      }
    }
  });
}

}  // namespace scalar
}  // namespace slipway
