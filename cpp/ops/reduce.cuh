// Operators that reduce axes to one value on CUDA.
//
// A reducer is a struct with: start() -> A, take(A, x, place) -> A, merge(A, A) -> A and finish(A, count) -> R.
#pragma once

#include "ops/elementwise.cuh"
#include "ops/lanes.cuh"
#include "ops/prepared.h"
#include "ops/twice.cuh"

namespace slipway::cuda {

struct ReduceParameters {
  DeviceWalk<1> kept;
  DeviceWalk<1> reduced;
  Lanes lanes;
};

/// What a lane makes of the elements lane, lane + per_line, ... of a line that begins at x.
template <typename T, typename Reducer>
[[nodiscard]] __device__ auto reduce_lane(const ReduceParameters& parameters, const T* x, const Reducer& reducer) {
  auto sum = reducer.start();
  const int64_t step = parameters.lanes.per_line;
  if (parameters.reduced.rank <= 1) {
    const int64_t stride = parameters.reduced.strides[0][0];
#pragma unroll 4
    for (int64_t j = parameters.lanes.lane(); j < parameters.reduced.count; j += step) {
      sum = reducer.take(sum, x[j * stride], j);
    }
  } else {
#pragma unroll 1
    for (int64_t j = parameters.lanes.lane(); j < parameters.reduced.count; j += step) {
      sum = reducer.take(sum, x[parameters.reduced.locate(j).at[0]], j);
    }
  }
  return sum;
}

/// y = finish(all x of a line taken). 1 to 256 lanes per line, 4 elements or more each; blocks go on in strides of the
/// grid. Reads each element once, in whole sectors, and is bound by that bandwidth where there are lines for all
/// multiprocessors. Shared memory: one accumulator per thread, in order of the threads.
/// 256 threads, 8 blocks per multiprocessor with up to 32 registers.
/// Checked against the scalar column by tests/ops.
template <typename T, typename R, typename Reducer>
__global__ void __launch_bounds__(kLaneThreads)
    reduce_kernel(const __grid_constant__ ReduceParameters parameters, const T* __restrict__ x, R* __restrict__ y,
                  const Reducer reducer) {
  using Sum = decltype(reducer.start());
  SLIPWAY_SHARED(Sum, shared);
  const Lanes& lanes = parameters.lanes;
  const auto merge = [&](Sum a, Sum b) { return reducer.merge(a, b); };
#pragma unroll 1
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * lanes.lines(); first < parameters.kept.count;
       first += static_cast<int64_t>(gridDim.x) * lanes.lines()) {
    const int64_t i = first + lanes.line();
    const bool is_there = i < parameters.kept.count;
    Sum sum = is_there ? reduce_lane(parameters, x + parameters.kept.locate(i).at[0], reducer) : reducer.start();
    sum = merge_lanes(shared, sum, lanes, merge);
    if (is_there && lanes.lane() == 0) y[i] = static_cast<R>(reducer.finish(sum, parameters.reduced.count));
  }
}

template <typename T, typename R, typename Reducer>
void reduce_lines(const OpCall& call, const Walk<1>& kept, const Walk<1>& reduced, const Reducer& reducer) noexcept {
  if (kept.count() == 0) return;
  const bool are_near = reduced.inner_strides()[0] == 1;
  const ReduceParameters parameters{DeviceWalk<1>(kept), DeviceWalk<1>(reduced),
                                    lanes_for(kept.count(), reduced.count(), are_near)};
  launch(call, &reduce_kernel<T, R, Reducer>,
         lanes_launch(kept.count(), parameters.lanes, sizeof(decltype(reducer.start()))), parameters,
         call.inputs[0].as<T>(), call.outputs[0].as<R>(), reducer);
}

template <typename T, typename Reducer>
void reduce_as(const OpCall& call, const Reducer& reducer) noexcept {
  const auto& walks = call.as<ReduceWalks>();
  reduce_lines<T, T>(call, walks.kept, walks.reduced, reducer);
}

/// The sum of term(x); term and ending work in TermOf<T>.
template <typename T, typename Term, typename Ending>
struct SumReducer {
  Term term;
  Ending ending;

  [[nodiscard]] __device__ SumOf<T> start() const { return {}; }
  [[nodiscard]] __device__ SumOf<T> take(SumOf<T> sum, T x, int64_t) const {
    return add(sum, static_cast<TermOf<T>>(term(static_cast<TermOf<T>>(x))));
  }
  [[nodiscard]] __device__ SumOf<T> merge(SumOf<T> a, SumOf<T> b) const { return add(a, b); }
  [[nodiscard]] __device__ T finish(SumOf<T> sum, int64_t count) const {
    return static_cast<T>(ending(value_of(sum), count));
  }
};

/// y = ending(sum of term(x), count).
template <typename List, typename Term, typename Ending>
void reduce_sum_of(const OpCall& call, List types, const Term& term, const Ending& ending) noexcept {
  dispatch(types, call.inputs[0].dtype,
           [&]<typename T>() { reduce_as<T>(call, SumReducer<T, Term, Ending>{term, ending}); });
}

/// For reduce_sum_of: x itself, and the sum itself.
struct Itself {
  template <typename T>
  [[nodiscard]] __device__ T operator()(T x) const {
    return x;
  }
  template <typename T>
  [[nodiscard]] __device__ T operator()(T sum, int64_t) const {
    return sum;
  }
};

// ---- extremes ----

/// An element and its place in its line; -1 before there is one.
template <typename T>
struct Best {
  T value;
  int64_t place;
};

/// The best of all by is_better(a, b); NaN where there is one; of equals the first, or the last where it is asked for.
template <typename T, typename F>
struct BestReducer {
  F is_better;
  bool takes_last;

  [[nodiscard]] __device__ Best<T> start() const { return {T{0}, -1}; }
  [[nodiscard]] __device__ Best<T> take(Best<T> best, T x, int64_t place) const { return merge(best, {x, place}); }
  [[nodiscard]] __device__ Best<T> merge(Best<T> a, Best<T> b) const {
    if (a.place < 0) return b;
    if (b.place < 0) return a;
    const bool a_is_nan = a.value != a.value;
    const bool b_is_nan = b.value != b.value;
    if (a.value == b.value || (a_is_nan && b_is_nan)) return (a.place < b.place) != takes_last ? a : b;
    return b_is_nan || (!a_is_nan && is_better(b.value, a.value)) ? b : a;
  }
};

/// The best value itself, `of_nothing` where there is none.
template <typename T, typename F>
struct ExtremumReducer : BestReducer<T, F> {
  T of_nothing;

  [[nodiscard]] __device__ T finish(Best<T> best, int64_t) const { return best.place < 0 ? of_nothing : best.value; }
};

template <typename F>
void reduce_extremum(const OpCall& call, bool largest, const F& is_better) noexcept {
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename T>() {
    reduce_as<T>(call, ExtremumReducer<T, F>{{is_better, false}, largest ? kLeast<T> : kMost<T>});
  });
}

/// The place of the best value.
template <typename T, typename F>
struct ArgReducer : BestReducer<T, F> {
  [[nodiscard]] __device__ int64_t finish(Best<T> best, int64_t) const { return best.place; }
};

template <typename F>
void arg_extremum(const OpCall& call, const F& is_better) noexcept {
  const auto& prepared = call.as<ArgExtremumPrepared>();
  const Split x = split_at(call.inputs[0].shape, prepared.axis);
  Walk<1> kept;
  kept.push_axis(x.outer, {x.axis * x.inner});
  kept.push_axis(x.inner, {1});
  Walk<1> reduced;
  reduced.push_axis(x.axis, {x.inner});
  dispatch(Numbers{}, call.inputs[0].dtype, [&]<typename T>() {
    reduce_lines<T, int64_t>(call, kept, reduced, ArgReducer<T, F>{{is_better, prepared.takes_last}});
  });
}

}  // namespace slipway::cuda
