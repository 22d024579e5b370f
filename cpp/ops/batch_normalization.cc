// BatchNormalization:  y[n, c] = (x[n, c] - mean[c]) / sqrt(var[c] + epsilon) * scale[c] + b[c].
//
// ONNX BatchNormalization 9, 14 and 15 as in opsets 13 to 24, inference only. x, y: [N, C, ...]; scale, b, mean, var:
// [C]; float32, float64, one type for all. Deviations: training_mode 1 is refused, and so are outputs beside y.
#include "ops/batch_normalization.h"

#include <cmath>
#include <vector>

#include "ops/op.h"
#include "ops/types.h"

namespace slipway {

namespace {

struct BatchNormalizationPrepared : BatchNormalizationCall {
  std::vector<float> own;
};

/// Scale, b, mean and variance, where all four are float32 constants.
bool read_statistics(const PrepareContext& context, const float* (&parts)[4]) {
  for (int i = 0; i < 4; ++i) {
    const Tensor* part = context.constant(i + 1);
    if (part == nullptr || part->dtype() != DType::kFloat32) return false;
    parts[i] = part->as<float>();
  }
  return true;
}

}  // namespace

void infer_batch_normalization(InferContext& context) {
  if (context.opset() >= 14) {
    context.allow_attributes({"epsilon", "momentum", "training_mode"});
  } else {
    context.allow_attributes({"epsilon", "momentum"});
  }
  if (context.get_int("training_mode", 0) != 0) context.refuse("training_mode 1 is not supported, supported is: 0");
  context.require_counts(5, 5, 1, 5);
  for (int i = 1; i < context.output_count(); ++i) {
    if (context.wants_output(i)) context.refuse("output ", i, " exists only in training, which is not supported");
  }
  context.require_dtype(0, {DType::kFloat32, DType::kFloat64});
  context.require_rank(0, 2, kMaxRank);
  const Dims* x = context.dims(0);
  for (int i = 1; i < 5; ++i) {
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

std::shared_ptr<const void> prepare_batch_normalization(PrepareContext& context) {
  const Shape x = context.shape(0);
  context.work = {2 * x.count(), 2 * x.count() * size_of(context.dtype(0))};
  auto prepared = std::make_shared<BatchNormalizationPrepared>();
  prepared->batch = x[0];
  prepared->channels = x[1];
  prepared->size = x.count(2, x.rank());
  prepared->epsilon = static_cast<double>(context.get_float("epsilon", 1e-5f));
  const float* parts[4];
  prepared->own.resize(static_cast<std::size_t>(2 * x[1]));
  if (host_isa(context.isa()) == Isa::kScalar || context.dtype(0) != DType::kFloat32) {
    // Neither kernel needs any.
  } else if (!read_statistics(context, parts)) {
    prepared->merges = true;
    context.scratch_bytes = 2 * x[1] * static_cast<int64_t>(sizeof(float));
  } else if (merge_statistics(*prepared, parts, prepared->own.data())) {
    prepared->merged = prepared->own.data();
  }
  return std::shared_ptr<const BatchNormalizationCall>(std::move(prepared));
}

namespace scalar {

void batch_normalization(const OpCall& call) noexcept {
  const auto& norm = call.as<BatchNormalizationCall>();
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    const T* x = call.inputs[0].as<T>();
    T* y = call.outputs[0].as<T>();
    for (int64_t i = 0; i < norm.batch * norm.channels; ++i) {
      const auto of_channel = [&](std::size_t input) {
        return static_cast<double>(call.inputs[input].as<T>()[i % norm.channels]);
      };
      const double factor = of_channel(1) / std::sqrt(of_channel(4) + norm.epsilon);
      const double mean = of_channel(3);
      const double shift = of_channel(2);
      for (int64_t j = 0; j < norm.size; ++j) {
        *y++ = static_cast<T>((static_cast<double>(*x++) - mean) * factor + shift);
      }
    }
  });
}

}  // namespace scalar
}  // namespace slipway
