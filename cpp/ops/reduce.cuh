// Operators that reduce axes to one value on CUDA.
//
// A reducer is a struct with: start() -> A, take(A, x, place) -> A, merge(A, A) -> A and finish(A, count) -> R.
#pragma once

#include "ops/elementwise.cuh"
#include "ops/lanes.cuh"
#include "ops/prepared.h"
#include "ops/reduce_walks.h"
#include "ops/twice.cuh"

namespace slipway::cuda {

struct ReduceParameters {
  DeviceWalk<1> kept;
  DeviceWalk<1> reduced;
  Lanes lanes;
  int64_t pieces;  ///< of every line, numbered through: piece 0 of all lines, then piece 1 of all lines, ...
  int64_t piece;   ///< elements of each but the last
  bool has_large_count;
  Divisor lines;
};

/// What a lane makes of its share of elements [begin, end) of the line x: begin + lane, begin + lane + per_line, ...
template <typename T, typename Reducer>
[[nodiscard]] __device__ auto reduce_lane(const ReduceParameters& parameters, const T* x, int64_t begin, int64_t end,
                                          const Reducer& reducer) {
  auto sum = reducer.start();
  const int64_t step = parameters.lanes.per_line;
  if (parameters.reduced.rank <= 1) {
    const int64_t stride = parameters.reduced.strides[0][0];
#pragma unroll 4
    for (int64_t j = begin + parameters.lanes.lane(); j < end; j += step) sum = reducer.take(sum, x[j * stride], j);
  } else {
#pragma unroll 1
    for (int64_t j = begin + parameters.lanes.lane(); j < end; j += step) {
      sum = reducer.take(sum, x[parameters.reduced.locate(j).at[0]], j);
    }
  }
  return sum;
}

/// y = finish(all x of a line taken), or what was taken of each piece of it. 1 to 256 lanes per piece, 4 elements or
/// more each; blocks go on in strides of the grid. Reads each element once, in whole sectors, and is bound by that
/// bandwidth: few long lines are cut so that there are pieces for all multiprocessors.
/// Shared memory: one accumulator per thread, in order of the threads.
/// 256 threads, 8 blocks per multiprocessor with up to 32 registers.
/// Checked against the scalar column by tests/ops.
template <typename T, typename R, typename Reducer>
__global__ void __launch_bounds__(kLaneThreads)
    reduce_kernel(const __grid_constant__ ReduceParameters parameters, const T* __restrict__ x, R* __restrict__ y,
                  decltype(Reducer{}.start())* __restrict__ partial, const Reducer reducer) {
  start_in_order();
  using Sum = decltype(reducer.start());
  SLIPWAY_SHARED(Sum, shared);
  const Lanes& lanes = parameters.lanes;
  const auto merge = [&](Sum a, Sum b) { return reducer.merge(a, b); };
  const int64_t count = parameters.kept.count * parameters.pieces;
#pragma unroll 1
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * lanes.lines(); first < count;
       first += static_cast<int64_t>(gridDim.x) * lanes.lines()) {
    const int64_t i = first + lanes.line();
    Sum sum = reducer.start();
    if (i < count) {
      const int64_t number = divide(i, parameters.lines, parameters.has_large_count);
      const int64_t begin = number * parameters.piece;
      const int64_t left = parameters.reduced.count - begin;
      const int64_t end = begin + (left < parameters.piece ? left : parameters.piece);
      const int64_t line = i - number * parameters.kept.count;
      sum = reduce_lane(parameters, x + parameters.kept.locate(line).at[0], begin, end, reducer);
    }
    sum = merge_lanes(shared, sum, lanes, merge);
    if (i >= count || lanes.lane() != 0) continue;
    if (parameters.pieces > 1) {
      partial[i] = sum;
    } else {
      y[i] = static_cast<R>(reducer.finish(sum, parameters.reduced.count));
    }
  }
}

/// y = finish(all pieces of a line merged), `size` elements having been taken. 1 to 32 lanes per line.
/// At most 1024 pieces in all, 16 KB: bound by the launch.
/// Shared memory: one accumulator per thread, in order of the threads. 256 threads.
/// Checked against the scalar column by tests/ops.
template <typename R, typename Reducer>
__global__ void __launch_bounds__(kLaneThreads)
    merge_pieces_kernel(const decltype(Reducer{}.start())* __restrict__ partial, R* __restrict__ y, int64_t lines,
                        int64_t pieces, int64_t size, const Lanes lanes, const Reducer reducer) {
  start_in_order();
  using Sum = decltype(reducer.start());
  SLIPWAY_SHARED(Sum, shared);
  const auto merge = [&](Sum a, Sum b) { return reducer.merge(a, b); };
#pragma unroll 1
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * lanes.lines(); first < lines;
       first += static_cast<int64_t>(gridDim.x) * lanes.lines()) {
    const int64_t line = first + lanes.line();
    Sum sum = reducer.start();
    for (int64_t p = lanes.lane(); line < lines && p < pieces; p += lanes.per_line) {
      sum = reducer.merge(sum, partial[p * lines + line]);
    }
    sum = merge_lanes(shared, sum, lanes, merge);
    if (line < lines && lanes.lane() == 0) y[line] = static_cast<R>(reducer.finish(sum, size));
  }
}

template <typename T, typename R, typename Reducer>
void reduce_lines(const OpCall& call, const Walk<1>& kept, const Walk<1>& reduced, const Reducer& reducer) noexcept {
  using Sum = decltype(reducer.start());
  static_assert(sizeof(Sum) <= kAccumulatorBytes);
  const int64_t lines = kept.count();
  if (lines == 0) return;
  const int64_t pieces = reduce_pieces(lines, reduced.count());
  const int64_t piece = (reduced.count() + pieces - 1) / pieces;
  const bool has_large_count = is_large(lines * pieces);
  const bool are_near = reduced.inner_strides()[0] == 1;
  const ReduceParameters parameters{DeviceWalk<1>(kept),
                                    DeviceWalk<1>(reduced),
                                    lanes_for(lines * pieces, piece, are_near),
                                    pieces,
                                    piece,
                                    has_large_count,
                                    divisor_of(lines, has_large_count)};
  auto* partial = reinterpret_cast<Sum*>(call.scratch);
  R* y = call.outputs[0].as<R>();
  launch(call, &reduce_kernel<T, R, Reducer>, lanes_launch(lines * pieces, parameters.lanes, sizeof(Sum)), parameters,
         call.inputs[0].as<T>(), y, partial, reducer);
  if (pieces == 1) return;
  const Lanes lanes = lanes_for(lines, pieces, false);
  launch(call, &merge_pieces_kernel<R, Reducer>, lanes_launch(lines, lanes, sizeof(Sum)), partial, y, lines, pieces,
         reduced.count(), lanes, reducer);
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
