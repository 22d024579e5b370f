// What Softmax and LogSoftmax share before and in their scalar kernels: one axis of any shape, float32 or float64.
#pragma once

#include <cmath>
#include <limits>

#include "ops/op.h"
#include "ops/softmax.h"
#include "ops/types.h"

namespace slipway {

inline void infer_along_axis(InferContext& context) {
  context.allow_attributes({"axis"});
  context.require_counts(1, 1, 1, 1);
  context.require_dtype(0, {DType::kFloat32, DType::kFloat64});
  context.require_rank(0, 1, kMaxRank);
  const Dims* x = context.dims(0);
  if (x != nullptr) (void)context.normalise_axis(context.get_int("axis", -1), static_cast<int64_t>(x->size()));
  context.outputs()[0] = context.input(0);
  context.outputs()[0].constant.reset();
}

[[nodiscard]] inline std::shared_ptr<const void> prepare_along_axis(PrepareContext& context) {
  const Shape x = context.shape(0);
  const int64_t given = context.get_int("axis", -1);
  const int64_t axis = given < 0 ? given + x.rank() : given;
  context.work = {10 * x.count(), 2 * x.count() * size_of(context.dtype(0))};
  return std::make_shared<SoftmaxCall>(SoftmaxCall{split_at(x, axis), axis + 1 == x.rank()});
}

/// The largest element and the sum of exp(x - largest), in which the largest ones themselves, `ones` in number, are
/// counted apart: else a sum barely above 1 would lose its digits.
struct ExpSum {
  double largest;
  double ones;
  double others;
};

template <typename T>
[[nodiscard]] ExpSum exp_sum(const T* x, int64_t size, int64_t stride) noexcept {
  ExpSum found{-std::numeric_limits<double>::infinity(), 0.0, 0.0};
  for (int64_t i = 0; i < size; ++i) {
    const auto value = static_cast<double>(x[i * stride]);
    if (value > found.largest) found.largest = value;
  }
  for (int64_t i = 0; i < size; ++i) {
    const double difference = static_cast<double>(x[i * stride]) - found.largest;
    (difference == 0.0 ? found.ones : found.others) += std::exp(difference);
  }
  return found;
}

/// y = f(x - largest, sums) along the axis, for every row.
template <typename F>
void for_each_along_axis(const OpCall& call, const F& f) noexcept {
  const Split& split = call.as<SoftmaxCall>().split;
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    for (int64_t row = 0; row < split.outer * split.inner; ++row) {
      const int64_t begin = row / split.inner * split.axis * split.inner + row % split.inner;
      const T* x = call.inputs[0].as<T>() + begin;
      T* y = call.outputs[0].as<T>() + begin;
      const ExpSum found = exp_sum(x, split.axis, split.inner);
      for (int64_t i = 0; i < split.axis; ++i) {
        y[i * split.inner] = static_cast<T>(f(static_cast<double>(x[i * split.inner]) - found.largest, found));
      }
    }
  });
}

}  // namespace slipway
