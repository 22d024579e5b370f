// Element-wise operators: one output element from one element of each input, with numpy broadcasting.
//
// An op file names its types and gives the formula; shapes, loops and dispatch are here.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>

#include "ops/op.h"
#include "ops/types.h"
#include "ops/walk.h"

namespace slipway {

/// Refuses input i where its type is not in the list.
template <typename... Ts>
void require_types(const InferContext& context, int i, Types<Ts...>) {
  context.require_dtype(i, {kDTypeOf<Ts>...});
}

/// Output 0 has the dims of inputs [0, count) broadcast together.
void infer_broadcast(InferContext& context, int count, DType dtype);

/// y has the dims of x, and type `dtype`, or its type where that is kNone.
template <typename List>
void infer_unary(InferContext& context, List types, DType dtype = DType::kNone) {
  context.require_counts(1, 1, 1, 1);
  require_types(context, 0, types);
  infer_broadcast(context, 1, dtype == DType::kNone ? context.dtype(0) : dtype);
}

/// Two inputs of one type; y has type `dtype`, or theirs where it is kNone.
template <typename List>
void infer_binary(InferContext& context, List types, DType dtype = DType::kNone) {
  context.allow_attributes({});
  context.require_counts(2, 2, 1, 1);
  require_types(context, 0, types);
  context.require_same_dtype({0, 1});
  infer_broadcast(context, 2, dtype == DType::kNone ? context.dtype(0) : dtype);
}

/// infer() of Add, Sub, Mul and Div, which have 8-bit integers since opset 14.
void infer_arithmetic(InferContext& context);

/// The walk over output 0 that follows inputs [first, first + N) broadcast to it.
template <int N>
[[nodiscard]] Walk<N> broadcast_walk(const PrepareContext& context, int first = 0) {
  const Shape y = context.output_shape(0);
  Shape shapes[N];
  Steps<kMaxRank> strides[N];
  for (int n = 0; n < N; ++n) {
    shapes[n] = context.shape(first + n);
    strides[n] = strides_of(shapes[n]);
  }
  Walk<N> walk;
  for (int axis = 0; axis < y.rank(); ++axis) {
    typename Walk<N>::Offsets step{};
    for (int n = 0; n < N; ++n) {
      const int own = axis - (y.rank() - shapes[n].rank());
      if (own >= 0 && shapes[n][own] != 1) step[n] = strides[n][own];
    }
    walk.push_axis(y[axis], step);
  }
  return walk;
}

/// prepare() of operators with N inputs broadcast together.
template <int N>
[[nodiscard]] std::shared_ptr<const void> prepare_broadcast(PrepareContext& context) {
  (void)prepare_nothing(context);
  return std::make_shared<const Walk<N>>(broadcast_walk<N>(context));
}

namespace scalar {

/// y = f(x) for every element; y has type R, or that of x where R is void.
template <typename R = void, typename List, typename F>
void map_each(const OpCall& call, List types, const F& f) noexcept {
  dispatch(types, call.inputs[0].dtype, [&]<typename T>() {
    using Result = std::conditional_t<std::is_void_v<R>, T, R>;
    const auto x = call.inputs[0].span<T>();
    std::transform(x.begin(), x.end(), call.outputs[0].as<Result>(),
                   [&](T value) { return static_cast<Result>(f(value)); });
  });
}

/// y = f(x) for float32 and float64, with f in double, rounded once.
template <typename F>
void map_in_double(const OpCall& call, const F& f) noexcept {
  map_each(call, Floats{}, [&](double x) { return f(x); });
}

/// y[i] = f(a[i], b[i]), where a or b may be one number for all i: loops that compilers make vectors of.
template <bool RepeatsA, bool RepeatsB, typename A, typename B, typename R, typename F>
void map_run(const A* a, const B* b, R* y, int64_t count, const F& f) noexcept {
  const A all_a = *a;
  const B all_b = *b;
  for (int64_t i = 0; i < count; ++i) y[i] = static_cast<R>(f(RepeatsA ? all_a : a[i], RepeatsB ? all_b : b[i]));
}

/// y = f(a, b) for every pair, following `walk`. Broadcasting leaves innermost loops with inputs that lie side by side
/// or stay where they are.
template <typename A, typename B, typename R, typename F>
void map_pairs(const Walk<2>& walk, const A* a, const B* b, R* y, const F& f) noexcept {
  const Steps<2> steps = walk.inner_strides();
  walk.for_each_run(0, walk.count(), [&](int64_t i, int64_t count, const Steps<2>& at) {
    if (steps[0] == 0) return map_run<true, false>(a + at[0], b + at[1], y + i, count, f);
    if (steps[1] == 0) return map_run<false, true>(a + at[0], b + at[1], y + i, count, f);
    map_run<false, false>(a + at[0], b + at[1], y + i, count, f);
  });
}

/// Reports an integer divisor of 0; the result does not matter.
template <typename T>
[[nodiscard]] T report_zero_divisor(const OpCall& call) noexcept {
  call.report("integer divisor (any but 0)", 0, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
  return 0;
}

/// y = f(a, b), all of one type. The op's prepare is prepare_broadcast<2>.
template <typename List, typename F>
void map_binary(const OpCall& call, List types, const F& f) noexcept {
  dispatch(types, call.inputs[0].dtype, [&]<typename T>() {
    map_pairs(call.as<Walk<2>>(), call.inputs[0].as<T>(), call.inputs[1].as<T>(), call.outputs[0].as<T>(), f);
  });
}

/// y = f(a, b) as bool.
template <typename List, typename F>
void compare(const OpCall& call, List types, const F& f) noexcept {
  dispatch(types, call.inputs[0].dtype, [&]<typename T>() {
    map_pairs(call.as<Walk<2>>(), call.inputs[0].as<T>(), call.inputs[1].as<T>(), call.outputs[0].as<bool>(), f);
  });
}

/// y = f(a, b) of booleans, which may hold any non-zero byte.
template <typename F>
void map_logical(const OpCall& call, const F& f) noexcept {
  map_pairs(call.as<Walk<2>>(), call.inputs[0].as<uint8_t>(), call.inputs[1].as<uint8_t>(),
            call.outputs[0].as<uint8_t>(), [&](uint8_t a, uint8_t b) { return f(a != 0, b != 0); });
}

}  // namespace scalar
}  // namespace slipway
