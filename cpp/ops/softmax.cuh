// What Softmax and LogSoftmax share on CUDA: one axis of any shape, float32 or float64.
#pragma once

#include "ops/lanes.cuh"
#include "ops/pack.cuh"
#include "ops/softmax.h"
#include "ops/types.h"
#include "ops/walk.cuh"

namespace slipway::cuda {

/// Lines of size elements: line i begins at i / inner * size * inner + i % inner, its elements `inner` apart.
struct SoftmaxLines {
  int64_t count;
  int64_t size;
  Divisor inner;
  bool has_large_count;
  Lanes lanes;

  [[nodiscard]] __device__ int64_t begin(int64_t line) const {
    const int64_t outer = divide(line, inner, has_large_count);
    return (outer * (size - 1)) * inner.size + line;
  }
};

struct LargerOfTwo {
  template <typename T>
  [[nodiscard]] __device__ T operator()(T a, T b) const {
    return b > a ? b : a;
  }
};

struct SumOfTwo {
  [[nodiscard]] __device__ double operator()(double a, double b) const { return a + b; }
};

/// y = f.result(x, largest, f.prepare(others, ones)) along the axis of every line, others being the sum of f.power(x,
/// largest) = exp(x - largest). Where F::kCountsOnes, the elements that equal the largest are counted apart, each being
/// exactly 1, so that others keeps its digits beside them; NaN is no largest. 1 to 256 lanes per line; three passes, of
/// which the second and third read from the cache where a block's lines fit. Moves each element once in and once out;
/// bound by that bandwidth for float32 Softmax. Shared memory: one double per thread, in order of the threads. 256
/// threads, 8 blocks per multiprocessor with up to 32 registers. Checked against the scalar column by tests/ops.
template <typename T, typename F>
__global__ void __launch_bounds__(kLaneThreads)
    softmax_kernel(const __grid_constant__ SoftmaxLines lines, const T* __restrict__ x, T* __restrict__ y, const F f) {
  start_in_order();
  SLIPWAY_SHARED(double, shared);
  const Lanes& lanes = lines.lanes;
#pragma unroll 1
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * lanes.lines(); first < lines.count;
       first += static_cast<int64_t>(gridDim.x) * lanes.lines()) {
    const int64_t line = first + lanes.line();
    const int64_t size = line < lines.count ? lines.size : 0;
    const int64_t stride = lines.inner.size;
    const T* from = x + (size > 0 ? lines.begin(line) : 0);
    T* to = y + (size > 0 ? lines.begin(line) : 0);
    T largest = kLeast<T>;
    for (int64_t i = lanes.lane(); i < size; i += lanes.per_line) largest = LargerOfTwo{}(largest, from[i * stride]);
    largest = merge_lanes(reinterpret_cast<T*>(shared), largest, lanes, LargerOfTwo{});
    double others = 0;
    double ones = 0;
    for (int64_t i = lanes.lane(); i < size; i += lanes.per_line) {
      const T value = from[i * stride];
      if (F::kCountsOnes && value - largest == 0) {
        ones += 1;
      } else {
        others += static_cast<double>(f.power(value, largest));
      }
    }
    others = merge_lanes(shared, others, lanes, SumOfTwo{});
    if constexpr (F::kCountsOnes) ones = merge_lanes(shared, ones, lanes, SumOfTwo{});
    const auto whole = f.prepare(others, ones);
    for (int64_t i = lanes.lane(); i < size; i += lanes.per_line) {
      to[i * stride] = f.result(from[i * stride], largest, whole);
    }
  }
}

template <typename F>
void softmax_lines(const OpCall& call, const F& f) noexcept {
  const Split& split = call.as<SoftmaxCall>().split;
  const int64_t count = split.outer * split.inner;
  if (count == 0) return;
  const SoftmaxLines lines{count, split.axis, divisor_of(split.inner, is_large(count)), is_large(count),
                           lanes_for(count, split.axis, split.inner == 1)};
  dispatch(Floats{}, call.inputs[0].dtype, [&]<typename T>() {
    launch(call, &softmax_kernel<T, F>, lanes_launch(count, lines.lanes, sizeof(double)), lines, call.inputs[0].as<T>(),
           call.outputs[0].as<T>(), f);
  });
}

}  // namespace slipway::cuda
