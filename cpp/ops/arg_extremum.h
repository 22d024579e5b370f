// ArgMax and ArgMin: the place of the largest or smallest element along an axis. NaN wins over every number.
#pragma once

#include "ops/elementwise.h"
#include "ops/prepared.h"

namespace slipway {

void infer_arg_extremum(InferContext& context);
[[nodiscard]] std::shared_ptr<const void> prepare_arg_extremum(PrepareContext& context);

namespace scalar {

/// Whether `a` is chosen before `b`, whatever their places.
template <typename T, typename F>
[[nodiscard, gnu::always_inline]] inline bool beats(T a, T b, const F& is_better) noexcept {
  return is_better(a, b) | ((a != a) & (b == b));
}

/// Whether `next` is chosen instead of `held`, which stands before it.
template <typename T, typename F>
[[nodiscard, gnu::always_inline]] inline bool replaces(T next, T held, bool takes_last, const F& is_better) noexcept {
  return beats(next, held, is_better) | (takes_last & !beats(held, next, is_better));
}

/// Place of the best of x[0], x[stride], ...; of equals the first, or the last where it is asked for.
template <typename T, typename F>
[[nodiscard]] int64_t find_best(const T* x, int64_t size, int64_t stride, bool takes_last,
                                const F& is_better) noexcept {
  int64_t best = 0;
  T held = x[0];
  for (int64_t i = 1; i < size; ++i) {
    const T next = x[i * stride];
    if (is_better(held, next) || !replaces(next, held, takes_last, is_better)) continue;
    held = next;
    best = i;
  }
  return best;
}

constexpr int64_t kColumns = 64;

/// find_best() from each of x[0], x[step], ... on, `count` of them: loops that compilers make vectors of.
template <typename T, typename F>
[[gnu::always_inline]] inline void find_best_of_columns(const T* x, int32_t size, int64_t stride, int64_t step,
                                                        int64_t count, int64_t* y, bool takes_last,
                                                        const F& is_better) noexcept {
  T held[kColumns];
  int32_t best[kColumns] = {};
  for (int64_t j = 0; j < count; ++j) held[j] = x[j * step];
  for (int32_t i = 1; i < size; ++i) {
    const T* row = x + i * stride;
    for (int64_t j = 0; j < count; ++j) {
      const T next = row[j * step];
      const bool is_next = replaces(next, held[j], takes_last, is_better);
      held[j] = is_next ? next : held[j];
      best[j] = is_next ? i : best[j];
    }
  }
  std::copy_n(best, count, y);
}

/// find_best() from each of x[0], x[step], ... on, `count` of them.
template <typename T, typename F>
void find_each_best(const T* x, int64_t size, int64_t stride, int64_t step, int64_t count, int64_t* y, bool takes_last,
                    const F& is_better) noexcept {
  constexpr int64_t kFew = 8;
  for (int64_t i = 0; i < count; i += kColumns) {
    const T* first = x + i * step;
    const int64_t left = std::min(kColumns, count - i);
    if (left < kFew || size > kMost<int32_t>) {
      for (int64_t j = 0; j < left; ++j) y[i + j] = find_best(first + j * step, size, stride, takes_last, is_better);
    } else if (step == 1) {
      find_best_of_columns(first, static_cast<int32_t>(size), stride, 1, left, y + i, takes_last, is_better);
    } else {
      find_best_of_columns(first, static_cast<int32_t>(size), 1, step, left, y + i, takes_last, is_better);
    }
  }
}

template <typename T, typename F>
void arg_extremum_of(const Split& split, const T* x, int64_t* y, bool takes_last, const F& is_better) noexcept {
  if (split.inner == 1) {
    return find_each_best(x, split.axis, 1, split.axis, split.outer, y, takes_last, is_better);
  }
  for (int64_t o = 0; o < split.outer; ++o, x += split.axis * split.inner, y += split.inner) {
    find_each_best(x, split.axis, split.inner, 1, split.inner, y, takes_last, is_better);
  }
}

template <typename F>
void arg_extremum(const OpCall& call, const F& is_better) noexcept {
  const auto [axis, takes_last] = call.as<ArgExtremumPrepared>();
  const Split split = split_at(call.inputs[0].shape, axis);
  auto* y = call.outputs[0].as<int64_t>();
  dispatch(Numbers{}, call.inputs[0].dtype, [&, last = takes_last]<typename T>() {
    arg_extremum_of(split, call.inputs[0].as<T>(), y, last, is_better);
  });
}

}  // namespace scalar
}  // namespace slipway
