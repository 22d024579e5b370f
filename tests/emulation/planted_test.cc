// Kernels with a bug that a switch plants: the emulation has to see it, and nothing where the switch is off.
#include <numeric>

#include "emulated.h"

namespace slipway::emulation {
namespace {

using cuda::kAllLanes;

constexpr int kThreads = 96;

// y[i] = x of the mirrored thread, through shared memory.
__global__ void mirror(const float* x, float* y, bool has_bug) {
  SLIPWAY_SHARED(float, values);
  const unsigned i = threadIdx.x;
  values[i] = x[i];
  if (!has_bug) __syncthreads();
  y[i] = values[blockDim.x - 1 - i];
}

// The second round overwrites what others still read.
__global__ void mirror_twice(const float* x, float* y, bool has_bug) {
  SLIPWAY_SHARED(float, values);
  const unsigned i = threadIdx.x;
  for (int round = 0; round < 2; ++round) {
    values[i] = x[i] + static_cast<float>(round);
    __syncthreads();
    y[i + static_cast<unsigned>(round) * blockDim.x] = values[blockDim.x - 1 - i];
    if (!has_bug) __syncthreads();
  }
}

__global__ void neighbour_lane(const float* x, float* y, bool has_bug) {
  SLIPWAY_SHARED(float, values);
  const unsigned i = threadIdx.x;
  values[i] = x[i];
  if (!has_bug) __syncwarp();
  y[i] = values[i ^ 1u];
}

// A row too many is written, into memory that belongs to nobody.
__global__ void copy_rows(const float* x, float* y, int rows, bool has_bug) {
  for (int row = 0; row < rows + (has_bug ? 1 : 0); ++row) {
    y[row * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x)] = x[threadIdx.x];
  }
}

// A row too many is read.
__global__ void add_rows(const float* x, float* y, int rows, bool has_bug) {
  float sum = 0.0f;
  for (int row = 0; row < rows + (has_bug ? 1 : 0); ++row)
    sum += x[row * static_cast<int>(blockDim.x) + static_cast<int>(threadIdx.x)];
  y[threadIdx.x] = sum;
}

__global__ void half_a_warp(const float* x, float* y, bool has_bug) {
  y[threadIdx.x] = __shfl_xor_sync(has_bug ? 0x0000ffffu : kAllLanes, x[threadIdx.x], 1);
}

__global__ void some_lanes(const float* x, float* y, bool has_bug) {
  float value = x[threadIdx.x];
  if (!has_bug || threadIdx.x % 32 != 5) value = __shfl_xor_sync(kAllLanes, value, 1);
  y[threadIdx.x] = value;
}

__global__ void late_copy(const float* x, float* y, bool has_bug) {
  SLIPWAY_SHARED(float, values);
  const unsigned i = threadIdx.x;
  cuda::copy_async<4>(values + i, x + i);
  cuda::commit_copies();
  if (has_bug) {
    cuda::wait_for_copies<1>();
  } else {
    cuda::wait_for_copies<0>();
  }
  __syncthreads();
  y[i] = values[blockDim.x - 1 - i];
}

// A copy that is not in a group is waited for by nobody.
__global__ void forgotten_commit(const float* x, float* y, bool has_bug) {
  SLIPWAY_SHARED(float, values);
  const unsigned i = threadIdx.x;
  cuda::copy_async<4>(values + i, x + i);
  if (!has_bug) cuda::commit_copies();
  cuda::wait_for_copies<0>();
  y[i] = values[i];
}

enum class ClusterBug { kNone, kNoFirstBarrier, kNoLastBarrier };

// Every block reads what the next one of its cluster wrote.
__global__ void next_block(const float* x, float* y, ClusterBug bug) {
  SLIPWAY_SHARED(float, values);
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  values[threadIdx.x] = x[i];
  if (bug != ClusterBug::kNoFirstBarrier) cuda::sync_cluster();
  y[i] = cuda::in_cluster(values, (cuda::cluster_rank() + 1) % 4)[threadIdx.x];
  if (bug != ClusterBug::kNoLastBarrier) cuda::sync_cluster();
}

// Every block writes to the next one of its cluster.
__global__ void to_next_block(const float* x, float* y, ClusterBug bug) {
  SLIPWAY_SHARED(float, values);
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (bug != ClusterBug::kNoFirstBarrier) cuda::sync_cluster();
  cuda::in_cluster(values, (cuda::cluster_rank() + 1) % 4)[threadIdx.x] = x[i];
  if (bug != ClusterBug::kNoLastBarrier) cuda::sync_cluster();
  y[i] = values[threadIdx.x];
}

__global__ void early_exit(const float* x, float* y, bool has_bug) {
  if (has_bug && threadIdx.x == 70) return;
  __syncthreads();
  y[threadIdx.x] = x[threadIdx.x];
}

__global__ void two_barriers(const float* x, float* y, bool has_bug) {
  if (has_bug && threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  y[threadIdx.x] = x[threadIdx.x];
}

// One warp waits for the block, another one for a lane that waits for the block.
__global__ void stuck(const float* x, float* y, bool has_bug) {
  if (has_bug && threadIdx.x % 32 == 7) __syncthreads();
  y[threadIdx.x] = __shfl_xor_sync(kAllLanes, x[threadIdx.x], 1);
}

__global__ void forgets_the_last(const float* x, float* y, bool has_bug) {
  if (!has_bug || threadIdx.x + 1 < blockDim.x) y[threadIdx.x] = x[threadIdx.x];
}

// Every block writes the same row.
__global__ void last_block_wins(const float* x, float* y, bool has_bug) {
  const unsigned row = has_bug ? 0 : blockIdx.x * blockDim.x;
  y[row + threadIdx.x] = x[blockIdx.x];
}

std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

/// Whether a kernel of (x, y, switch) is caught; y is one row of the grid's threads, or `rows`.
template <typename Switch>
bool catches(void (*kernel)(const float*, float*, Switch), Switch value, cuda::Launch how = {}, std::size_t rows = 1) {
  if (how.block.x == 1) how.block = dim3(kThreads);
  if (how.shared_bytes == 0) how.shared_bytes = kThreads * 4;
  const std::size_t count = how.grid.x * how.block.x;
  return is_caught([&](std::vector<float>& results) {
    const DeviceVector<float> x(numbers(count));
    const DeviceVector<float> y(count * rows);
    const std::string error = run(kernel, how, x.data(), y.data(), value);
    results = y.read();
    return error;
  });
}

#define EXPECT_SEEN(kernel, ...)                        \
  EXPECT_FALSE(catches(&kernel, false, ##__VA_ARGS__)); \
  EXPECT_TRUE(catches(&kernel, true, ##__VA_ARGS__))

TEST(Planted, a_missing_barrier) {
  EXPECT_SEEN(mirror);
  EXPECT_SEEN(mirror_twice, {}, 2);
}

TEST(Planted, a_missing_warp_barrier) { EXPECT_SEEN(neighbour_lane); }

TEST(Planted, a_wrong_mask) { EXPECT_SEEN(half_a_warp); }

TEST(Planted, a_lane_that_stays_away) { EXPECT_SEEN(some_lanes); }

TEST(Planted, a_missing_wait_for_copies) {
  EXPECT_SEEN(late_copy);
  EXPECT_SEEN(forgotten_commit);
}

TEST(Planted, a_missing_cluster_barrier) {
  const cuda::Launch how = {.grid = dim3(8), .block = dim3(32), .shared_bytes = 128, .cluster = 4};
  EXPECT_FALSE(catches(&next_block, ClusterBug::kNone, how));
  EXPECT_TRUE(catches(&next_block, ClusterBug::kNoFirstBarrier, how));
  EXPECT_TRUE(catches(&next_block, ClusterBug::kNoLastBarrier, how));
  EXPECT_FALSE(catches(&to_next_block, ClusterBug::kNone, how));
  EXPECT_TRUE(catches(&to_next_block, ClusterBug::kNoFirstBarrier, how));
  EXPECT_TRUE(catches(&to_next_block, ClusterBug::kNoLastBarrier, how));
}

TEST(Planted, a_barrier_that_not_all_come_to) {
  EXPECT_SEEN(early_exit);
  EXPECT_SEEN(two_barriers);
  EXPECT_SEEN(stuck);
}

TEST(Planted, an_output_that_is_not_written) { EXPECT_SEEN(forgets_the_last); }

TEST(Planted, blocks_that_write_the_same) { EXPECT_SEEN(last_block_wins, {.grid = dim3(3)}); }

/// As catches_it(), for bugs that may end the program where a sanitizer handles faults.
bool is_stopped(const std::function<bool()>& catches_it) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return stops_program([&] {
    if (catches_it()) ::_exit(0);
  });
#else
  return catches_it();
#endif
}

bool catches_rows(void (*kernel)(const float*, float*, int, bool), std::size_t from, std::size_t to, bool has_bug) {
  return is_caught([&](std::vector<float>& results) {
    const DeviceVector<float> x(numbers(from * kThreads));
    const DeviceVector<float> y(to * kThreads);
    const std::string error = run(kernel, {.block = dim3(kThreads)}, x.data(), y.data(), 3, has_bug);
    results = y.read();
    return error;
  });
}

TEST(Planted, a_row_too_many) {
  EXPECT_FALSE(catches_rows(&copy_rows, 1, 3, false));
  EXPECT_TRUE(is_stopped([] { return catches_rows(&copy_rows, 1, 3, true); }));
  EXPECT_FALSE(catches_rows(&add_rows, 3, 1, false));
  EXPECT_TRUE(is_stopped([] { return catches_rows(&add_rows, 3, 1, true); }));
}

TEST(Planted, too_little_shared_memory) {
  const auto with_bytes = [](int64_t bytes) { return catches(&mirror, false, {.shared_bytes = bytes}); };
  EXPECT_FALSE(with_bytes(kThreads * 4));
  EXPECT_TRUE(is_stopped([&] { return with_bytes(kThreads * 4 - 4); }));
}

}  // namespace
}  // namespace slipway::emulation
