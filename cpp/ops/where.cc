// Where:  y = a where condition, b elsewhere.
//
// ONNX Where, opsets 13 to 24. condition: bool; a, b: any type, all three broadcast as in numpy.
#include <algorithm>

#include "ops/elementwise.h"

namespace slipway {

void infer_where(InferContext& context) {
  context.allow_attributes({});
  context.require_counts(3, 3, 1, 1);
  require_types(context, 0, Types<bool>{});
  context.require_same_dtype({1, 2});
  infer_broadcast(context, 3, context.dtype(1));
}

std::shared_ptr<const void> prepare_where(PrepareContext& context) { return prepare_broadcast<3>(context); }

namespace scalar {

namespace {

constexpr int64_t kElementsPerNanosecond = 2;

template <typename T>
void copy_row(const T* x, int64_t step, int64_t count, T* y) noexcept {
  if (step == 1) {
    std::copy_n(x, count, y);
  } else {
    for (int64_t j = 0; j < count; ++j) y[j] = x[j * step];
  }
}

/// y[j] = c[j] ? a[j] : b[j], where a or b may be one value for all j: loops that compilers make vectors of.
template <bool RepeatsA, bool RepeatsB, typename T>
void choose(const uint8_t* c, const T* a, const T* b, T* y, int64_t count) noexcept {
  const T all_a = *a;
  const T all_b = *b;
  for (int64_t j = 0; j < count; ++j) {
    const T if_true = RepeatsA ? all_a : a[j];
    const T if_false = RepeatsB ? all_b : b[j];
    y[j] = c[j] != 0 ? if_true : if_false;
  }
}

}  // namespace

// Conditions are often one for a whole row, which is then copied.
void where(const OpCall& call) noexcept {
  const auto& walk = call.as<Walk<3>>();
  const auto* condition = call.inputs[0].as<uint8_t>();
  const Walk<3>::Offsets step = walk.inner_strides();
  dispatch_storage(call.inputs[1].dtype, [&]<typename T>() {
    const auto fill = [&](int64_t i, int64_t count, const Walk<3>::Offsets& at) {
      const uint8_t* c = condition + at[0];
      const T* a = call.inputs[1].as<T>() + at[1];
      const T* b = call.inputs[2].as<T>() + at[2];
      T* y = call.outputs[0].as<T>() + i;
      if (step[0] == 0) return *c != 0 ? copy_row(a, step[1], count, y) : copy_row(b, step[2], count, y);
      if (step[1] == 0 && step[2] == 0) return choose<true, true>(c, a, b, y, count);
      if (step[1] == 0) return choose<true, false>(c, a, b, y, count);
      if (step[2] == 0) return choose<false, true>(c, a, b, y, count);
      choose<false, false>(c, a, b, y, count);
    };
    parallel_for(call.pool, walk.count(), grain_of(1, kElementsPerNanosecond),
                 [&](int64_t begin, int64_t end) { walk.for_each_run(begin, end, fill); });
  });
}

}  // namespace scalar
}  // namespace slipway
