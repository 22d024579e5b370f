// Trilu:  y = x above (`upper` 1) or below the k-th diagonal of each matrix, 0 elsewhere; the diagonal belongs to both.
//
// ONNX Trilu, opsets 14 to 24. x: [..., M, N], any type; k: one int64, optional, 0 the main diagonal, read when run.
#include "ops/shapes.h"

namespace slipway {

void infer_trilu(InferContext& context) {
  context.allow_attributes({"upper"});
  context.require_counts(1, 2, 1, 1);
  context.require_rank(0, 2, kMaxRank);
  if (context.has_input(1)) {
    context.require_dtype(1, {DType::kInt64});
    require_one_element(context, 1);
  }
  const Dims* x = context.dims(0);
  if (x == nullptr) return context.output_unknown(0, context.dtype(0));
  context.output(0, context.dtype(0), *x);
}

std::shared_ptr<const void> prepare_trilu(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const bool>(context.get_int("upper", 1) != 0);
}

namespace scalar {

void trilu(const OpCall& call) noexcept {
  const bool upper = call.as<bool>();
  const Shape& shape = call.inputs[0].shape;
  const int64_t rows = shape[shape.rank() - 2];
  const int64_t columns = shape[shape.rank() - 1];
  if (shape.count() == 0) return;
  const int64_t k = call.has_input(1) ? std::clamp(*call.inputs[1].as<int64_t>(), -rows, columns) : 0;
  dispatch_storage(call.inputs[0].dtype, [&]<typename T>() {
    const T* x = call.inputs[0].as<T>();
    T* y = call.outputs[0].as<T>();
    for (int64_t row = 0; row < shape.count() / columns; ++row) {
      const int64_t diagonal = row % rows + k;
      const int64_t cut = std::clamp(upper ? diagonal : diagonal + 1, int64_t{0}, columns);
      const T* from = x + row * columns;
      T* to = y + row * columns;
      std::copy(from + (upper ? cut : 0), from + (upper ? columns : cut), to + (upper ? cut : 0));
      std::fill(to + (upper ? 0 : cut), to + (upper ? cut : columns), T{0});
    }
  });
}

}  // namespace scalar
}  // namespace slipway
