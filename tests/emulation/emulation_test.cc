// Kernels that use what the emulation covers give right results, in every order of their threads.
#include <algorithm>
#include <numeric>

#include "emulated.h"

namespace slipway::emulation {
namespace {

using cuda::kAllLanes;
using cuda::kWarp;

std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

template <typename T>
void expect_same(const std::vector<T>& got, const std::vector<T>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], wanted[i]) << "at " << i;
}

// ---- who a thread is ----
__global__ void __launch_bounds__(24) number_threads(int* y) {
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned number = block * blockDim.x * blockDim.y * blockDim.z + thread;
  y[number] = static_cast<int>(number);
}

TEST(Threads, each_has_its_number) {
  in_all_orders([] {
    const DeviceVector<int> y(2 * 3 * 4 * 24);
    EXPECT_EQ(run(&number_threads, {.grid = dim3(2, 3, 4), .block = dim3(4, 3, 2)}, y.data()), "");
    std::vector<int> wanted(2 * 3 * 4 * 24);
    std::iota(wanted.begin(), wanted.end(), 0);
    expect_same(y.read(), wanted);
  });
}

struct Large {
  int values[1000];
};

__global__ void read_parameters(const __grid_constant__ Large large, float scale, int* __restrict__ y) {
  y[threadIdx.x] = large.values[threadIdx.x] * static_cast<int>(scale);
}

TEST(Threads, parameters_are_copied_at_the_launch) {
  const DeviceVector<int> y(1000);
  Large large;
  std::iota(large.values, large.values + 1000, 0);
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  RunFault fault;
  OpCall call;
  call.fault = &fault;
  call.stream = stream;
  cuda::launch(call, &read_parameters, {.block = dim3(1000)}, large, 2, y.data());
  large = {};
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_EQ(y.read()[999], 1998);
}

// ---- barriers ----
__global__ void scan_block(const int* x, int* y) {
  SLIPWAY_SHARED(int, sums);
  const int i = static_cast<int>(threadIdx.x);
  sums[i] = x[i];
  __syncthreads();
  for (int step = 1; step < static_cast<int>(blockDim.x); step *= 2) {
    const int other = i >= step ? sums[i - step] : 0;
    __syncthreads();
    sums[i] += other;
    __syncthreads();
  }
  y[i] = sums[i];
}

TEST(Barriers, a_block_scans_in_shared_memory) {
  in_all_orders([] {
    for (const std::size_t size : {1, 31, 32, 33, 256, 1000, 1024}) {
      std::vector<int> values(size);
      std::iota(values.begin(), values.end(), 3);
      const DeviceVector<int> x(values);
      const DeviceVector<int> y(size);
      EXPECT_EQ(
          run(&scan_block, {.block = dim3(static_cast<unsigned>(size)), .shared_bytes = static_cast<int64_t>(4 * size)},
              x.data(), y.data()),
          "");
      std::partial_sum(values.begin(), values.end(), values.begin());
      expect_same(y.read(), values);
    }
  });
}

__global__ void vote_block(int* y) {
  const int i = static_cast<int>(threadIdx.x);
  for (int round = 0; round < 3; ++round) {
    const int count = __syncthreads_count(i < 10 * round);
    const int any = __syncthreads_or(i == 99 * round);
    const int all = __syncthreads_and(i < 100 || round != 1);
    if (i == 0) {
      y[3 * round] = count;
      y[3 * round + 1] = any;
      y[3 * round + 2] = all;
    }
  }
}

TEST(Barriers, a_block_votes) {
  in_all_orders([] {
    const DeviceVector<int> y(9);
    EXPECT_EQ(run(&vote_block, {.block = dim3(150)}, y.data()), "");
    expect_same(y.read(), {0, 1, 1, 10, 1, 0, 20, 0, 1});
  });
}

// ---- warps ----
template <typename T>
__global__ void shuffle_all(const T* x, T* y) {
  const unsigned i = threadIdx.x;
  const T own = x[i];
  y[i] = __shfl_sync(kAllLanes, own, 3);
  y[i + 64] = __shfl_up_sync(kAllLanes, own, 2);
  y[i + 128] = __shfl_down_sync(kAllLanes, own, 5, 16);
  y[i + 192] = __shfl_xor_sync(kAllLanes, own, 9);
  y[i + 256] = __shfl_sync(kAllLanes, own, 10, 8);
}

template <typename T>
void check_shuffles() {
  std::vector<T> values(64);
  std::iota(values.begin(), values.end(), T{1});
  const DeviceVector<T> x(values);
  const DeviceVector<T> y(5 * 64);
  EXPECT_EQ(run(&shuffle_all<T>, {.block = dim3(64)}, x.data(), y.data()), "");
  std::vector<T> wanted;
  const auto lanes = [&](auto source) {
    for (int i = 0; i < 64; ++i) wanted.push_back(values[static_cast<std::size_t>(i / 32 * 32 + source(i % 32))]);
  };
  lanes([](int) { return 3; });
  lanes([](int lane) { return lane < 2 ? lane : lane - 2; });
  lanes([](int lane) { return lane % 16 + 5 < 16 ? lane + 5 : lane; });
  lanes([](int lane) { return lane ^ 9; });
  lanes([](int lane) { return lane / 8 * 8 + 2; });
  expect_same(y.read(), wanted);
}

TEST(Warps, shuffles_read_the_lanes_that_the_manual_says) {
  in_all_orders([] {
    check_shuffles<float>();
    check_shuffles<double>();
    check_shuffles<int>();
    check_shuffles<unsigned long long>();
  });
}

__global__ void vote_warp(unsigned* y) {
  const unsigned i = threadIdx.x;
  const unsigned ballot = __ballot_sync(kAllLanes, i % 3 == 0);
  const int any = __any_sync(kAllLanes, i == 40);
  const int all = __all_sync(kAllLanes, i < 40);
  y[i] = ballot + static_cast<unsigned>(2 * any + all);
}

TEST(Warps, lanes_vote) {
  in_all_orders([] {
    const DeviceVector<unsigned> y(64);
    EXPECT_EQ(run(&vote_warp, {.block = dim3(64)}, y.data()), "");
    EXPECT_EQ(y.read()[0], 0x49249249u + 1u);
    EXPECT_EQ(y.read()[32], 0x92492492u + 2u);
  });
}

__global__ void sum_warps(const float* x, float* y) {
  SLIPWAY_SHARED(float, sums);
  const float sum = cuda::warp_sum(x[threadIdx.x]);
  if (threadIdx.x % kWarp == 0) sums[threadIdx.x / kWarp] = sum;
  __syncthreads();
  if (threadIdx.x < kWarp) {
    const float total = cuda::warp_sum(threadIdx.x < blockDim.x / kWarp ? sums[threadIdx.x] : 0.0f);
    if (threadIdx.x == 0) *y = total;
  }
}

TEST(Warps, a_block_sums) {
  in_all_orders([] {
    const DeviceVector<float> x(numbers(256));
    const DeviceVector<float> y(1);
    EXPECT_EQ(run(&sum_warps, {.block = dim3(256), .shared_bytes = 32}, x.data(), y.data()), "");
    EXPECT_EQ(y.read()[0], 256.0f * 257.0f / 2.0f);
  });
}

// ---- atomics ----
__global__ void count_up(int* integers, float* floats, unsigned* stops) {
  atomicAdd(&integers[0], 1);
  atomicMax(&integers[1], static_cast<int>(threadIdx.x));
  atomicMin(&integers[2], -static_cast<int>(threadIdx.x));
  if (atomicCAS(&integers[3], 0, static_cast<int>(threadIdx.x) + 1) == 0) atomicAdd(&integers[4], 1);
  atomicAdd(floats, 0.5f);
  atomicInc(stops, 9u);
}

TEST(Atomics, every_thread_counts) {
  in_all_orders([] {
    const DeviceVector<int> integers(std::vector<int>(5, 0));
    const DeviceVector<float> floats(std::vector<float>(1, 0.0f));
    const DeviceVector<unsigned> stops(std::vector<unsigned>(1, 0u));
    EXPECT_EQ(run(&count_up, {.grid = dim3(3), .block = dim3(100)}, integers.data(), floats.data(), stops.data()), "");
    const std::vector<int> got = integers.read();
    EXPECT_EQ(got[0], 300);
    EXPECT_EQ(got[1], 99);
    EXPECT_EQ(got[2], -99);
    EXPECT_EQ(got[4], 1);
    EXPECT_EQ(floats.read()[0], 150.0f);
    EXPECT_EQ(stops.read()[0], 0u);
  });
}

// ---- late copies ----
__global__ void stream_rows(const float4* x, float4* y, int rows) {
  SLIPWAY_SHARED(float4, stages);
  const int i = static_cast<int>(threadIdx.x);
  const int width = static_cast<int>(blockDim.x);
  for (int stage = 0; stage < 2; ++stage) {
    cuda::copy_async<16>(stages + stage * width + i, x + stage * width + i, stage < rows);
    cuda::commit_copies();
  }
  for (int row = 0; row < rows; ++row) {
    cuda::wait_for_copies<1>();
    __syncthreads();
    y[row * width + i] = stages[row % 2 * width + width - 1 - i];
    __syncthreads();
    const bool is_there = row + 2 < rows;
    cuda::copy_async<16>(stages + row % 2 * width + i, x + (is_there ? row + 2 : 0) * width + i, is_there);
    cuda::commit_copies();
  }
}

TEST(Copies, arrive_at_the_wait) {
  in_all_orders([] {
    const DeviceVector<float> x(numbers(5 * 64 * 4));
    const DeviceVector<float> y(5 * 64 * 4);
    EXPECT_EQ(run(&stream_rows, {.block = dim3(64), .shared_bytes = 2 * 64 * 16},
                  reinterpret_cast<const float4*>(x.data()), reinterpret_cast<float4*>(y.data()), 5),
              "");
    EXPECT_EQ(y.read()[4 * 63], 1.0f);
    EXPECT_EQ(y.read()[4 * 256], 4.0f * (256 + 63) + 1.0f);
  });
}

// ---- tensor cores ----
__global__ void multiply(const float* a, const float* b, float* d) {
  const unsigned g = threadIdx.x / 4;
  const unsigned t = threadIdx.x % 4;
  const uint32_t left[] = {cuda::to_tf32(a[8 * g + t]), cuda::to_tf32(a[8 * (g + 8) + t]),
                           cuda::to_tf32(a[8 * g + t + 4]), cuda::to_tf32(a[8 * (g + 8) + t + 4])};
  const uint32_t right[] = {cuda::to_tf32(b[8 * t + g]), cuda::to_tf32(b[8 * (t + 4) + g])};
  float sums[4] = {};
  cuda::multiply_tf32(sums, left, right);
  d[8 * g + 2 * t] = sums[0];
  d[8 * g + 2 * t + 1] = sums[1];
  d[8 * (g + 8) + 2 * t] = sums[2];
  d[8 * (g + 8) + 2 * t + 1] = sums[3];
}

TEST(TensorCores, a_warp_multiplies) {
  in_all_orders([] {
    const std::vector<float> a = numbers(16 * 8);
    const std::vector<float> b = numbers(8 * 8);
    const DeviceVector<float> on_device_a(a);
    const DeviceVector<float> on_device_b(b);
    const DeviceVector<float> d(16 * 8);
    EXPECT_EQ(run(&multiply, {.block = dim3(32)}, on_device_a.data(), on_device_b.data(), d.data()), "");
    std::vector<float> wanted(16 * 8);
    for (std::size_t i = 0; i < 16; ++i) {
      for (std::size_t j = 0; j < 8; ++j) {
        for (std::size_t k = 0; k < 8; ++k) wanted[8 * i + j] += a[8 * i + k] * b[8 * k + j];
      }
    }
    expect_same(d.read(), wanted);
  });
}

TEST(TensorCores, numbers_are_rounded_to_ten_bits) {
  const auto rounded = [](float x) { return __uint_as_float(cuda::to_tf32(x)); };
  EXPECT_EQ(rounded(1.0f + 0x1p-10f), 1.0f + 0x1p-10f);
  EXPECT_EQ(rounded(1.0f + 0x1p-11f), 1.0f + 0x1p-10f);
  EXPECT_EQ(rounded(-1.0f - 0x1p-12f), -1.0f);
  EXPECT_EQ(rounded(INFINITY), INFINITY);
  EXPECT_TRUE(std::isnan(rounded(NAN)));
}

// ---- clusters and cooperative grids ----
__global__ void rotate(const float* x, float* y) {
  SLIPWAY_SHARED(float, values);
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  values[threadIdx.x] = x[i];
  cuda::sync_cluster();
  y[i] = cuda::in_cluster(values + threadIdx.x, (cuda::cluster_rank() + 3) % 4)[0];
  cuda::sync_cluster();
}

TEST(Clusters, blocks_read_each_others_shared_memory) {
  in_all_orders([] {
    const DeviceVector<float> x(numbers(8 * 40));
    const DeviceVector<float> y(8 * 40);
    EXPECT_EQ(run(&rotate, {.grid = dim3(8), .block = dim3(40), .shared_bytes = 160, .cluster = 4}, x.data(), y.data()),
              "");
    std::vector<float> wanted;
    for (const int block : {3, 0, 1, 2, 7, 4, 5, 6}) {
      for (int i = 0; i < 40; ++i) wanted.push_back(static_cast<float>(40 * block + i + 1));
    }
    expect_same(y.read(), wanted);
  });
}

__global__ void add_all(int* sums, int* y) {
  atomicAdd(sums, 1);
  cuda::sync_grid();
  y[blockIdx.x * blockDim.x + threadIdx.x] = *sums;
}

// A barrier of our own, out of atomics: those who wait let the others go on.
__global__ void add_all_by_hand(int* sums, int* y) {
  atomicAdd(sums, 1);
  while (atomicAdd(sums, 0) < static_cast<int>(gridDim.x * blockDim.x)) __nanosleep(20);
  y[blockIdx.x * blockDim.x + threadIdx.x] = atomicAdd(sums, 0);
}

TEST(Cooperative, all_blocks_meet) {
  for (const auto kernel : {&add_all, &add_all_by_hand}) {
    in_all_orders([kernel] {
      const DeviceVector<int> sums(std::vector<int>(1, 0));
      const DeviceVector<int> y(6 * 50);
      EXPECT_EQ(run(kernel, {.grid = dim3(6), .block = dim3(50), .is_cooperative = true}, sums.data(), y.data()), "");
      expect_same(y.read(), std::vector<int>(6 * 50, 300));
    });
  }
}

// ---- arithmetic ----
TEST(Arithmetic, functions_without_a_name_in_the_library) {
  EXPECT_EQ(__umulhi(0xffffffffu, 0xffffffffu), 0xfffffffeu);
  EXPECT_EQ(__mulhi(-2, 3), -1);
  EXPECT_EQ(__umul64hi(~0ull, ~0ull), ~0ull - 1);
  EXPECT_EQ(__clz(1), 31);
  EXPECT_EQ(__brev(1u), 0x80000000u);
  EXPECT_EQ(__float_as_int(1.0f), 0x3f800000);
  EXPECT_EQ(rsqrtf(4.0f), 0.5f);
  EXPECT_EQ(__fdividef(1.0f, 0x1p127f), 0.0f);
  EXPECT_EQ(fminf(NAN, 1.0f), 1.0f);
  EXPECT_EQ(min(3, -4), -4);
  EXPECT_EQ(cuda::exp2_fast(-140.0f), 0.0f);
  EXPECT_EQ(cuda::exp2_fast(3.0f), 8.0f);
  EXPECT_EQ(cuda::reciprocal_fast(0x1p127f), 0.0f);
  EXPECT_EQ(cuda::reciprocal_fast(-4.0f), -0.25f);
}

TEST(Threads, no_race_was_reported) { EXPECT_EQ(races, 0); }

}  // namespace
}  // namespace slipway::emulation
