// CumSum on CUDA.
#include "ops/indexing.cuh"
#include "ops/lanes.cuh"
#include "ops/prepared.h"
#include "ops/types.h"

namespace slipway::cuda {

namespace {

/// A shape whose axis is known on the device alone.
struct CumSumParameters {
  int rank;
  int64_t sizes[kMaxRank];
  bool exclusive;
  bool reverse;
  DeviceIndices axis;
  DeviceFault* fault;

  [[nodiscard]] __device__ Split split_at(int64_t at) const {
    Split split{1, sizes[at], 1};
    for (int64_t i = 0; i < at; ++i) split.outer *= sizes[i];
    for (int64_t i = at + 1; i < rank; ++i) split.inner *= sizes[i];
    return split;
  }
};

/// The sums of shared[0 .. lane] over the line's lanes, in every lane's own place (Hillis and Steele, Data Parallel
/// Algorithms, 1986). Reached by all threads of the block.
template <typename Sum>
__device__ void scan_lanes(Sum* shared, const Lanes& lanes) {
  const int lane = lanes.lane();
  const int own = static_cast<int>(threadIdx.x);
#pragma unroll 1
  for (int step = 1; step < lanes.per_line; step *= 2) {
    const Sum before = lane >= step ? shared[lanes.thread_of(lane - step)] : Sum{0};
    __syncthreads();
    shared[own] = wrap_add(before, shared[own]);
    __syncthreads();
  }
}

/// y_i = x_0 + ... + x_i along an axis that is read here. Where lines are contiguous their tiles of up to 256 elements
/// are scanned by as many lanes, one tile after the other; else each thread sums a line. Moves each element once in and
/// once out; bound by the steps along a line where there are few lines.
/// Shared memory: one sum per thread, in order of the threads. 256 threads, 8 blocks per multiprocessor.
/// Checked against the scalar column by tests/ops.
template <typename T>
__global__ void __launch_bounds__(kLaneThreads)
    cum_sum_kernel(const __grid_constant__ CumSumParameters parameters, const T* __restrict__ x, T* __restrict__ y) {
  start_in_order();
  using Sum = std::conditional_t<std::is_floating_point_v<T>, double, T>;
  SLIPWAY_SHARED(Sum, shared);
  const int64_t axis = checked_index(parameters.fault, parameters.axis[0], parameters.rank);
  const Split split = axis < 0 ? Split{} : parameters.split_at(axis);
  const int64_t count = split.outer * split.inner;
  const Lanes lanes = split.inner == 1 ? lanes_for(count, 4 * split.axis, true) : Lanes{};
  const int64_t stride = parameters.reverse ? -split.inner : split.inner;
#pragma unroll 1
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * lanes.lines(); first < count;
       first += static_cast<int64_t>(gridDim.x) * lanes.lines()) {
    const int64_t line = first + lanes.line();
    const bool is_there = line < count;
    int64_t begin = line / split.inner * split.axis * split.inner + line % split.inner;
    if (parameters.reverse) begin += (split.axis - 1) * split.inner;
    Sum carry = 0;
#pragma unroll 1
    for (int64_t tile = 0; tile < split.axis; tile += lanes.per_line) {
      const int64_t i = tile + lanes.lane();
      const bool is_own = is_there && i < split.axis;
      shared[threadIdx.x] = is_own ? static_cast<Sum>(x[begin + i * stride]) : Sum{0};
      __syncthreads();
      scan_lanes(shared, lanes);
      const int from = lanes.lane() - (parameters.exclusive ? 1 : 0);
      const Sum partial = from < 0 ? Sum{0} : shared[lanes.thread_of(from)];
      if (is_own) y[begin + i * stride] = static_cast<T>(wrap_add(carry, partial));
      carry = wrap_add(carry, shared[lanes.thread_of(lanes.per_line - 1)]);
      __syncthreads();
    }
  }
}

}  // namespace

void cum_sum(const OpCall& call) noexcept {
  const auto& prepared = call.as<CumSumPrepared>();
  const Shape& shape = call.inputs[0].shape;
  const int64_t count = shape.count();
  if (count == 0) return;
  CumSumParameters parameters{shape.rank(),     {}, prepared.exclusive, prepared.reverse, DeviceIndices(call.inputs[1]),
                              call.device_fault};
  for (int axis = 0; axis < shape.rank(); ++axis) parameters.sizes[axis] = shape[axis];
  dispatch(WideNumbers{}, call.inputs[0].dtype, [&]<typename T>() {
    launch(call, &cum_sum_kernel<T>,
           {.grid = dim3(blocks_for(count, kLaneThreads)),
            .block = dim3(kLaneThreads),
            .shared_bytes = kLaneThreads * static_cast<int64_t>(sizeof(double))},
           parameters, call.inputs[0].as<T>(), call.outputs[0].as<T>());
  });
}

}  // namespace slipway::cuda
