// InstanceNormalization:  y[n, c] = (x[n, c] - mean) / sqrt(var + epsilon) * scale[c] + b[c], mean and (biased)
// variance over the elements of x[n, c].
//
// ONNX InstanceNormalization 6 and 22 as in opsets 13 to 24. x, y: [N, C, D...]; scale, b: [C]; float32, float64.
#include <cmath>

#include "ops/moments.h"
#include "ops/normalization.h"
#include "ops/op.h"
#include "ops/types.h"

namespace slipway {

void infer_instance_normalization(InferContext& context) {
  context.allow_attributes({"epsilon"});
  context.require_counts(3, 3, 1, 1);
  context.require_dtype(0, {DType::kFloat32, DType::kFloat64});
  context.require_rank(0, 3, kMaxRank);
  const Dims* x = context.dims(0);
  for (const int i : {1, 2}) {
    context.require_dtype(i, {context.dtype(0)});
    context.require_rank(i, 1, 1);
    const Dims* own = context.dims(i);
    if (x == nullptr || own == nullptr || !(*x)[1].is_known() || !(*own)[0].is_known()) continue;
    if ((*x)[1].value() != (*own)[0].value()) {
      context.reject("input ", i, " has ", (*own)[0].value(), " entries, expected ", (*x)[1].value(), " channels");
    }
  }
  context.outputs()[0] = context.input(0);
  context.outputs()[0].constant.reset();
}

std::shared_ptr<const void> prepare_instance_normalization(PrepareContext& context) {
  const Shape x = context.shape(0);
  context.work = {5 * x.count(), 2 * x.count() * size_of(context.dtype(0))};
  return std::make_shared<InstanceNormalizationCall>(InstanceNormalizationCall{
      x[0], x[1], x.count(2, x.rank()), static_cast<double>(context.get_float("epsilon", 1e-5f))});
}

namespace scalar {

void instance_normalization(const OpCall& call) noexcept {
  const auto& norm = call.as<InstanceNormalizationCall>();
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    for (int64_t i = 0; i < norm.batch * norm.channels; ++i) {
      const T* x = call.inputs[0].as<T>() + i * norm.size;
      T* y = call.outputs[0].as<T>() + i * norm.size;
      const Moments moments = moments_of(x, norm.size);
      const double factor =
          static_cast<double>(call.inputs[1].as<T>()[i % norm.channels]) / std::sqrt(moments.variance + norm.epsilon);
      const double shift = static_cast<double>(call.inputs[2].as<T>()[i % norm.channels]);
      for (int64_t j = 0; j < norm.size; ++j) {
        y[j] = static_cast<T>((static_cast<double>(x[j]) - moments.mean) * factor + shift);
      }
    }
  });
}

}  // namespace scalar
}  // namespace slipway
