// Element-wise operators on CUDA: one output element from one element of each input, with numpy broadcasting.
//
// An op file names its types and gives the formula as a struct with operator(); loops and dispatch are here.
#pragma once

#include "ops/pack.cuh"
#include "ops/types.h"
#include "ops/walk.cuh"

namespace slipway::cuda {

inline constexpr int kMapThreads = 256;

/// y = f(x). A thread takes a pack of 4 float32, or one element, and goes on in strides of the grid.
/// Moves each element once in and once out and is bound by that bandwidth: 8 bytes per float32.
/// 256 threads, 8 blocks or more per multiprocessor: enough loads in flight at 32 registers.
/// Checked against the scalar column by tests/ops.
template <typename T, typename R, typename F>
__global__ void __launch_bounds__(kMapThreads)
    map_each_kernel(const T* __restrict__ x, R* __restrict__ y, int64_t count, int64_t packs, const F f) {
  start_in_order();
  constexpr int kPack = kPackOf<T>;
  if constexpr (kPack > 1) {
    for (int64_t i = grid_thread(); i < packs; i += grid_threads()) {
      const auto in = reinterpret_cast<const Pack<T, kPack>*>(x)[i];
      Pack<R, kPack> out;
#pragma unroll
      for (int k = 0; k < kPack; ++k) out.at[k] = static_cast<R>(f(in.at[k]));
      reinterpret_cast<Pack<R, kPack>*>(y)[i] = out;
    }
  }
#pragma unroll 1
  for (int64_t i = packs * kPack + grid_thread(); i < count; i += grid_threads()) y[i] = static_cast<R>(f(x[i]));
}

/// y = f(x) for every element of one type; y has type R, or that of x where R is void.
template <typename R, typename T, typename F>
void map_each_of(const OpCall& call, const F& f) noexcept {
  using Result = std::conditional_t<std::is_void_v<R>, T, R>;
  constexpr int kPack = kPackOf<T>;
  const T* x = call.inputs[0].as<T>();
  auto* y = call.outputs[0].as<Result>();
  const int64_t count = call.outputs[0].shape.count();
  const bool has_packs = kPack > 1 && is_aligned<sizeof(T) * kPack>(x) && is_aligned<sizeof(Result) * kPack>(y);
  const int64_t packs = has_packs ? count / kPack : 0;
  const int64_t steps = packs > 0 ? packs : count;
  launch(call, &map_each_kernel<T, Result, F>,
         {.grid = dim3(blocks_for(steps, kMapThreads)), .block = dim3(kMapThreads)}, x, y, count, packs, f);
}

template <typename R = void, typename List, typename F>
void map_each(const OpCall& call, List types, const F& f) noexcept {
  dispatch(types, call.inputs[0].dtype, [&]<typename T>() { map_each_of<R, T>(call, f); });
}

/// Packs of kPack elements that the walk can take whole: along its rows both inputs have strides of 1 or 0, and the
/// rows begin and end where packs do. 0 where it has none.
template <int kPack, typename T, typename R>
[[nodiscard]] int64_t count_packs(const DeviceWalk<2>& walk, const T* a, const T* b, const R* y) noexcept {
  if (kPack == 1 || walk.rank == 0 || !is_aligned<sizeof(R) * kPack>(y)) return 0;
  const int inner = walk.rank - 1;
  if (walk.rank > 1 && walk.sizes[inner].size % kPack != 0) return 0;
  const T* inputs[] = {a, b};
  for (int n = 0; n < 2; ++n) {
    const int64_t step = walk.strides[inner][n];
    if (step == 0) continue;
    if (step != 1 || !is_aligned<sizeof(T) * kPack>(inputs[n])) return 0;
    for (int axis = 0; axis < inner; ++axis) {
      if (walk.strides[axis][n] % kPack != 0) return 0;
    }
  }
  return walk.count / kPack;
}

/// kPack elements of a row that begins at x; one of them for all where `step` is 0.
template <int kPack, typename T>
[[nodiscard]] __device__ Pack<T, kPack> load_row(const T* x, int64_t step) {
  if (step != 0) return *reinterpret_cast<const Pack<T, kPack>*>(x);
  Pack<T, kPack> same;
#pragma unroll
  for (int k = 0; k < kPack; ++k) same.at[k] = *x;
  return same;
}

/// y = f(a, b), both broadcast along the walk. A thread takes a pack of 4 float32 where rows allow, else one element,
/// and goes on in strides of the grid. An axis of the walk costs some 10 instructions per step, so that same shapes,
/// scalars, row vectors and channels are bound by bandwidth: at most 12 bytes per float32.
/// 256 threads, 8 blocks or more per multiprocessor: enough loads in flight at 32 registers.
/// Checked against the scalar column by tests/ops.
template <typename T, typename R, typename F>
__global__ void __launch_bounds__(kMapThreads)
    map_pairs_kernel(const __grid_constant__ DeviceWalk<2> walk, const T* __restrict__ a, const T* __restrict__ b,
                     R* __restrict__ y, int64_t packs, const F f) {
  start_in_order();
  constexpr int kPack = kPackOf<T>;
  if constexpr (kPack > 1) {
    const int inner = walk.rank - 1;
    for (int64_t i = grid_thread(); i < packs; i += grid_threads()) {
      const Offsets<2> offsets = walk.locate(i * kPack);
      const auto left = load_row<kPack>(a + offsets.at[0], walk.strides[inner][0]);
      const auto right = load_row<kPack>(b + offsets.at[1], walk.strides[inner][1]);
      Pack<R, kPack> out;
#pragma unroll
      for (int k = 0; k < kPack; ++k) out.at[k] = static_cast<R>(f(left.at[k], right.at[k]));
      reinterpret_cast<Pack<R, kPack>*>(y)[i] = out;
    }
  }
#pragma unroll 1
  for (int64_t i = packs * kPack + grid_thread(); i < walk.count; i += grid_threads()) {
    const Offsets<2> offsets = walk.locate(i);
    y[i] = static_cast<R>(f(a[offsets.at[0]], b[offsets.at[1]]));
  }
}

/// y = f(a, b) for every pair, following `walk`.
template <typename T, typename R, typename F>
void map_pairs(const OpCall& call, const Walk<2>& host_walk, const F& f) noexcept {
  if (host_walk.count() == 0) return;
  const DeviceWalk<2> walk(host_walk);
  const T* a = call.inputs[0].as<T>();
  const T* b = call.inputs[1].as<T>();
  R* y = call.outputs[0].as<R>();
  const int64_t packs = count_packs<kPackOf<T>>(walk, a, b, y);
  const int64_t steps = packs > 0 ? packs : walk.count;
  launch(call, &map_pairs_kernel<T, R, F>, {.grid = dim3(blocks_for(steps, kMapThreads)), .block = dim3(kMapThreads)},
         walk, a, b, y, packs, f);
}

/// y = f(a, b), all of one type. The op's prepare is prepare_broadcast<2>.
template <typename List, typename F>
void map_binary(const OpCall& call, List types, const F& f) noexcept {
  dispatch(types, call.inputs[0].dtype, [&]<typename T>() { map_pairs<T, T>(call, call.as<Walk<2>>(), f); });
}

/// y = f(a, b) as bool.
template <typename List, typename F>
void compare(const OpCall& call, List types, const F& f) noexcept {
  dispatch(types, call.inputs[0].dtype, [&]<typename T>() { map_pairs<T, bool>(call, call.as<Walk<2>>(), f); });
}

/// y = f(a, b) of booleans, which may hold any non-zero byte: f takes the bytes.
template <typename F>
void map_logical(const OpCall& call, const F& f) noexcept {
  map_pairs<uint8_t, bool>(call, call.as<Walk<2>>(), f);
}

/// Reports an integer divisor of 0; the result does not matter.
template <typename T>
[[nodiscard]] __device__ T report_zero_divisor(DeviceFault* fault) {
  report(fault, DeviceFaultKind::kDivisor, 0, kLeast<T>, kMost<T>);
  return 0;
}

}  // namespace slipway::cuda
