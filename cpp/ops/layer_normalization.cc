// LayerNormalization:  y = (x - mean) / sqrt(var + epsilon) * scale + b, mean and (biased) variance over the axes from
// `axis` on.
//
// ONNX LayerNormalization 17 as in opsets 17 to 24. x, y: any shape; scale, b (optional): broadcast to x; Mean and
// InvStdDev (optional outputs): as x with size 1 from `axis` on. float32; float64 without the optional outputs (ONNX
// gives those in float32). Sums are of double, which no stash_type asks for and none forbids; stash_type must be 1.
#include <cmath>

#include "ops/moments.h"
#include "ops/normalization.h"
#include "ops/op.h"
#include "ops/types.h"

namespace slipway {

namespace {

/// Strides of a tensor that broadcasts to `x`.
Steps<kMaxRank> broadcast_strides(const Shape& own, const Shape& x) {
  const auto plain = strides_of(own);
  Steps<kMaxRank> strides{};
  for (int i = 0; i < own.rank(); ++i) {
    if (own[i] != 1) strides[static_cast<std::size_t>(x.rank() - own.rank() + i)] = plain[static_cast<std::size_t>(i)];
  }
  return strides;
}

/// `own` is one row of x, which begins at axis `first`.
bool is_row(const Shape& own, const Shape& x, int first) {
  if (own.rank() > x.rank()) return false;
  for (int i = 0; i < x.rank(); ++i) {
    const int at = i - (x.rank() - own.rank());
    if ((at < 0 ? 1 : own[at]) != (i < first ? 1 : x[i])) return false;
  }
  return true;
}

void check_broadcasts(const InferContext& context, int i, const Dims& x) {
  const Dims* own = context.dims(i);
  if (own == nullptr) return;
  if (own->size() > x.size()) context.reject("input ", i, " ", text_of(*own), " does not broadcast to ", text_of(x));
  for (std::size_t axis = 0; axis < own->size(); ++axis) {
    const Dim& size = (*own)[axis];
    const Dim& target = x[x.size() - own->size() + axis];
    if (!size.is_known() || size.value() == 1 || !target.is_known() || size.value() == target.value()) continue;
    context.reject("input ", i, " ", text_of(*own), " does not broadcast to ", text_of(x));
  }
}

}  // namespace

void infer_layer_normalization(InferContext& context) {
  context.allow_attributes({"axis", "epsilon", "stash_type"});
  context.require_counts(2, 3, 1, 3);
  context.require_dtype(0, {DType::kFloat32, DType::kFloat64});
  context.require_same_dtype({0, 1, 2});
  if (context.get_int("stash_type", 1) != 1) context.refuse("only stash_type 1 is supported");
  if (context.dtype(0) != DType::kFloat32 && (context.wants_output(1) || context.wants_output(2))) {
    context.refuse("Mean and InvStdDev are supported only for float32");
  }
  context.require_rank(0, 1, kMaxRank);
  const Dims* x = context.dims(0);
  context.outputs()[0] = context.input(0);
  context.outputs()[0].constant.reset();
  if (x == nullptr) {
    context.output_unknown(1, DType::kFloat32);
    return context.output_unknown(2, DType::kFloat32);
  }
  check_broadcasts(context, 1, *x);
  if (context.has_input(2)) check_broadcasts(context, 2, *x);
  Dims moments = *x;
  const int64_t axis = context.normalise_axis(context.get_int("axis", -1), static_cast<int64_t>(x->size()));
  for (std::size_t i = static_cast<std::size_t>(axis); i < moments.size(); ++i) moments[i] = 1;
  context.output(1, DType::kFloat32, moments);
  context.output(2, DType::kFloat32, moments);
}

std::shared_ptr<const void> prepare_layer_normalization(PrepareContext& context) {
  const Shape x = context.shape(0);
  const int64_t axis = context.get_int("axis", -1);
  const auto first = static_cast<int>(axis < 0 ? axis + x.rank() : axis);
  auto call = std::make_shared<LayerNormalizationCall>();
  call->rows = x.count(0, first);
  call->size = x.count(first, x.rank());
  call->epsilon = static_cast<double>(context.get_float("epsilon", 1e-5f));
  const auto scale = broadcast_strides(context.shape(1), x);
  const auto shift = context.has_input(2) ? broadcast_strides(context.shape(2), x) : Steps<kMaxRank>{};
  call->is_plain = call->size > 0 && is_row(context.shape(1), x, first) &&
                   (!context.has_input(2) || is_row(context.shape(2), x, first));
  for (int i = 0; i < x.rank(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    call->walk.push_axis(x[i], {scale[at], shift[at]});
  }
  context.work = {6 * x.count(), 2 * x.count() * size_of(context.dtype(0))};
  return call;
}

namespace scalar {

namespace {

/// Mean and 1 / sqrt(var + epsilon) of one row, written where they are wanted.
Moments store_moments(const OpCall& call, int64_t row, Moments moments, double epsilon) noexcept {
  moments.variance = 1.0 / std::sqrt(moments.variance + epsilon);
  if (call.has_output(1)) call.outputs[1].as<float>()[row] = static_cast<float>(moments.mean);
  if (call.has_output(2)) call.outputs[2].as<float>()[row] = static_cast<float>(moments.variance);
  return moments;
}

}  // namespace

void layer_normalization(const OpCall& call) noexcept {
  const auto& norm = call.as<LayerNormalizationCall>();
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    const T* x = call.inputs[0].as<T>();
    const T* scale = call.inputs[1].as<T>();
    const T* shift = call.has_input(2) ? call.inputs[2].as<T>() : nullptr;
    T* y = call.outputs[0].as<T>();
    Moments row{};
    for (int64_t i = 0; norm.size == 0 && i < norm.rows; ++i) {
      (void)store_moments(call, i, moments_of(x, 0), norm.epsilon);
    }
    norm.walk.for_each([&](int64_t i, const auto& at) {
      if (i % norm.size == 0) row = store_moments(call, i / norm.size, moments_of(x + i, norm.size), norm.epsilon);
      const double normal = (static_cast<double>(x[i]) - row.mean) * row.variance;
      const double b = shift != nullptr ? static_cast<double>(shift[at[1]]) : 0.0;
      if (y != nullptr) y[i] = static_cast<T>(normal * static_cast<double>(scale[at[0]]) + b);
    });
  });
}

}  // namespace scalar
}  // namespace slipway
