// Threads of a block that share lines: each line's elements are dealt out to some lanes, whose results meet in a tree.
//
// The tree has one shape for all calls of one size, so that sums are the same each time.
#pragma once

#include "base/both.h"
#include "ops/launch.cuh"

namespace slipway::cuda {

inline constexpr int kLaneThreads = 256;

/// How kLaneThreads threads share lines.
struct Lanes {
  int per_line = 1;       ///< a power of two
  bool are_near = false;  ///< the lanes of a line are neighbours, as its elements are; else neighbours are lines

  [[nodiscard]] SLIPWAY_BOTH int lines() const noexcept { return kLaneThreads / per_line; }
  [[nodiscard]] __device__ int lane() const {
    const int thread = static_cast<int>(threadIdx.x);
    return are_near ? thread % per_line : thread / lines();
  }
  [[nodiscard]] __device__ int line() const {
    const int thread = static_cast<int>(threadIdx.x);
    return are_near ? thread / per_line : thread % lines();
  }
  /// The thread that is lane `lane` of this thread's line.
  [[nodiscard]] __device__ int thread_of(int lane) const {
    return are_near ? line() * per_line + lane : lane * lines() + line();
  }
};

/// Lanes for `lines` lines of `size` elements. `are_near`: the elements of a line are contiguous; else lines are, and
/// a warp then takes at least 8 of them, whole sectors of 32 bytes.
[[nodiscard]] SLIPWAY_BOTH inline Lanes lanes_for(int64_t lines, int64_t size, bool are_near) noexcept {
  constexpr int64_t kEnoughThreads = 1 << 18;
  constexpr int64_t kLeastElements = 4;
  const int most = are_near ? kLaneThreads : 32;
  Lanes lanes{1, are_near};
  while (lanes.per_line < most && lanes.per_line * kLeastElements < size &&
         (are_near || lanes.per_line * lines < kEnoughThreads)) {
    lanes.per_line *= 2;
  }
  return lanes;
}

[[nodiscard]] inline Launch lanes_launch(int64_t lines, const Lanes& lanes, int64_t bytes_per_thread) noexcept {
  return {.grid = dim3(blocks_for(lines, lanes.lines())),
          .block = dim3(kLaneThreads),
          .shared_bytes = lanes.per_line > 1 ? kLaneThreads * bytes_per_thread : 0};
}

/// `mine` of all lanes of the line merged, in every lane. Reached by all threads of the block; `shared` holds an A per
/// thread.
template <typename A, typename Merge>
[[nodiscard]] __device__ A merge_lanes(A* shared, A mine, const Lanes& lanes, const Merge& merge) {
  if (lanes.per_line == 1) return mine;
  const int lane = lanes.lane();
  const int own = static_cast<int>(threadIdx.x);
  shared[own] = mine;
  __syncthreads();
#pragma unroll 1
  for (int step = lanes.per_line / 2; step > 0; step /= 2) {
    if (lane < step) shared[own] = merge(shared[own], shared[lanes.thread_of(lane + step)]);
    __syncthreads();
  }
  const A whole = shared[lanes.thread_of(0)];
  __syncthreads();
  return whole;
}

}  // namespace slipway::cuda
