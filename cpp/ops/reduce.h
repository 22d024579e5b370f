// Operators that reduce axes to one value: which axes, which shape, and the two nested loops.
//
// Without axes all are reduced; with `noop_with_empty_axes` none are, which leaves what each op does to one element.
#pragma once

#include <limits>
#include <memory>

#include "ops/elementwise.h"
#include "ops/prepared.h"
#include "ops/reduce_walks.h"

namespace slipway {

/// Where `axes` stands: an attribute before this opset, input 1 since.
struct ReduceAxes {
  int64_t input_since = 18;
};

/// Shape and type rule of the Reduce operators.
void infer_reduce_axes(InferContext& context, ReduceAxes rule);
[[nodiscard]] std::shared_ptr<const void> prepare_reduce(PrepareContext& context);
/// The walks that reduce the axes marked with something other than 0.
[[nodiscard]] ReduceWalks reduce_walks(const Shape& x, std::span<const char> reduced);

template <typename List>
void infer_reduce(InferContext& context, List types, ReduceAxes rule = {}) {
  require_types(context, 0, types);
  infer_reduce_axes(context, rule);
}

namespace scalar {

/// The type in which sums are kept: the next wider one for floating point, the type itself for integers, which wrap.
template <typename T>
using SumOf =
    std::conditional_t<std::is_same_v<T, float>, double, std::conditional_t<std::is_same_v<T, double>, long double, T>>;

/// y = finish(fold(...fold(start, x_0)..., x_n), count), with start of the accumulator's type:
/// start() -> A, fold(A, T) -> A, finish(A, int64_t) -> T, each called with T as template argument.
template <typename T, typename Start, typename Fold, typename Finish>
void reduce_as(const OpCall& call, const Start& start, const Fold& fold, const Finish& finish) noexcept {
  const auto& walks = call.as<ReduceWalks>();
  const T* x = call.inputs[0].as<T>();
  T* y = call.outputs[0].as<T>();
  walks.kept.for_each([&](int64_t i, const Walk<1>::Offsets& kept) {
    auto sum = start;
    walks.reduced.for_each([&](int64_t, const Walk<1>::Offsets& at) { sum = fold(sum, x[kept[0] + at[0]]); });
    y[i] = static_cast<T>(finish(sum, walks.reduced.count()));
  });
}

/// y = finish(sum of term(x)), summed as SumOf says; term and finish work in the accumulator's type.
template <typename List, typename Term, typename Finish>
void reduce_sum_of(const OpCall& call, List types, const Term& term, const Finish& finish) noexcept {
  dispatch(types, call.inputs[0].dtype, [&]<typename T>() {
    using Sum = SumOf<T>;
    const auto fold = [&](Sum sum, T x) { return wrap_add(sum, static_cast<Sum>(term(static_cast<Sum>(x)))); };
    reduce_as<T>(call, Sum{0}, fold, finish);
  });
}

/// For reduce_sum_of: the sum itself.
inline constexpr auto kSumItself = [](auto sum, int64_t) { return sum; };

/// y = the best of all by is_better(next, best), NaN where there is one; of nothing, the worst value of the type.
template <typename F>
void reduce_extremum(const OpCall& call, bool largest, const F& is_better) noexcept {
  const auto fold = [&](auto best, auto x) { return x != x || is_better(x, best) ? x : best; };
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename T>() {
    using Limits = std::numeric_limits<T>;
    const T low = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    const T high = Limits::has_infinity ? Limits::infinity() : Limits::max();
    reduce_as<T>(call, largest ? low : high, fold, kSumItself);
  });
}

}  // namespace scalar
}  // namespace slipway
