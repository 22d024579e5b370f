// The host's side of the emulation: it works late, knows its memory, and refuses what a device refuses.
#include <thread>

#include "emulated.h"

namespace slipway::emulation {
namespace {

__global__ void add(const float* x, float* y, float value) { y[threadIdx.x] = x[threadIdx.x] + value; }
__global__ void stop_at(unsigned thread) {
  if (threadIdx.x == thread) __trap();
}
__global__ void fill_shared(int* y) {
  SLIPWAY_SHARED(int, values);
  values[threadIdx.x] = 1;
  __syncthreads();
  y[blockIdx.x * blockDim.x + threadIdx.x] = values[threadIdx.x];
}

constexpr unsigned kCount = 64;

/// A stream of its own, as sessions have it.
class TestStream final {
 public:
  TestStream() { EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess); }
  TestStream(const TestStream&) = delete;
  TestStream& operator=(const TestStream&) = delete;
  ~TestStream() { (void)cudaStreamDestroy(stream_); }

  [[nodiscard]] cudaStream_t get() const { return stream_; }
  void add(const float* x, float* y, float value) const {
    RunFault fault;
    OpCall call;
    call.fault = &fault;
    call.stream = stream_;
    cuda::launch(call, &emulation::add, {.block = dim3(kCount)}, x, y, value);
    EXPECT_TRUE(fault.what == nullptr);
  }

 private:
  cudaStream_t stream_ = nullptr;
};

/// Host memory that the device reaches.
class Pinned final {
 public:
  Pinned() { EXPECT_EQ(cudaHostAlloc(&data_, kCount * sizeof(float), cudaHostAllocDefault), cudaSuccess); }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  ~Pinned() { (void)cudaFreeHost(data_); }
  [[nodiscard]] float* data() const { return static_cast<float*>(data_); }

 private:
  void* data_ = nullptr;
};

std::vector<float> constant(float value) { return std::vector<float>(kCount, value); }

// ---- late work ----
TEST(Streams, work_is_done_when_somebody_waits) {
  const DeviceVector<float> x(constant(1.0f));
  const Pinned y;
  const TestStream stream;
  stream.add(x.data(), y.data(), 2.0f);
  EXPECT_TRUE(std::isnan(y.data()[0]));
  EXPECT_EQ(cudaStreamQuery(stream.get()), cudaErrorNotReady);
  EXPECT_EQ(cudaStreamSynchronize(stream.get()), cudaSuccess);
  EXPECT_EQ(y.data()[0], 3.0f);
  EXPECT_EQ(cudaStreamQuery(stream.get()), cudaSuccess);
}

TEST(Streams, one_waits_for_another_only_by_an_event) {
  const DeviceVector<float> x(constant(1.0f));
  const DeviceVector<float> middle(kCount);
  const Pinned y;
  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
  for (const bool waits : {false, true}) {
    const TestStream first;
    const TestStream second;
    first.add(x.data(), middle.data(), 1.0f);
    EXPECT_EQ(cudaEventRecord(event, first.get()), cudaSuccess);
    if (waits) {
      EXPECT_EQ(cudaStreamWaitEvent(second.get(), event), cudaSuccess);
    }
    second.add(middle.data(), y.data(), 1.0f);
    EXPECT_EQ(cudaStreamSynchronize(second.get()), cudaSuccess);
    EXPECT_EQ(std::isnan(y.data()[0]), !waits);
  }
  EXPECT_EQ(y.data()[0], 3.0f);
  EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
}

TEST(Streams, pinned_memory_is_read_late_and_pageable_memory_at_once) {
  const Pinned pinned;
  std::vector<float> pageable = constant(1.0f);
  const DeviceVector<float> from_pinned(kCount);
  const DeviceVector<float> from_pageable(kCount);
  const TestStream stream;
  const auto give = [&](const DeviceVector<float>& to, const float* from) {
    EXPECT_EQ(cudaMemcpyAsync(to.data(), from, kCount * 4, cudaMemcpyHostToDevice, stream.get()), cudaSuccess);
  };
  pinned.data()[0] = 1.0f;
  give(from_pinned, pinned.data());
  give(from_pageable, pageable.data());
  pinned.data()[0] = 2.0f;
  pageable[0] = 2.0f;
  EXPECT_EQ(cudaStreamSynchronize(stream.get()), cudaSuccess);
  EXPECT_EQ(from_pinned.read()[0], 2.0f);
  EXPECT_EQ(from_pageable.read()[0], 1.0f);
}

TEST(Streams, a_failure_is_told_by_the_stream_that_met_it) {
  const TestStream stream;
  const TestStream other;
  RunFault fault;
  OpCall call;
  call.fault = &fault;
  call.stream = stream.get();
  cuda::launch(call, &stop_at, {.grid = dim3(2), .block = dim3(40)}, 33);
  EXPECT_EQ(cudaStreamSynchronize(other.get()), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream.get()), cudaErrorLaunchFailure);
  const std::string text = cudaGetErrorString(cudaErrorLaunchFailure);
  EXPECT_TRUE(text.find("stop_at(unsigned int), block (0,0,0), thread (33,0,0): __trap()") != std::string::npos)
      << text;
  EXPECT_EQ(cudaStreamSynchronize(stream.get()), cudaSuccess);
  EXPECT_TRUE(fault.what == nullptr);
}

TEST(Streams, several_host_threads_have_kernels_of_their_own) {
  const DeviceVector<float> x(constant(1.0f));
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 20; ++round) {
        const DeviceVector<float> y(kCount);
        const TestStream stream;
        stream.add(x.data(), y.data(), static_cast<float>(t));
        if (cudaStreamSynchronize(stream.get()) == cudaSuccess && y.read()[3] == 1.0f + static_cast<float>(t)) {
          ++right[t];
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : right) EXPECT_EQ(count, 20);
}

TEST(Events, tell_the_time_between_them) {
  cudaEvent_t first = nullptr;
  cudaEvent_t last = nullptr;
  ASSERT_EQ(cudaEventCreate(&first), cudaSuccess);
  ASSERT_EQ(cudaEventCreate(&last), cudaSuccess);
  const DeviceVector<float> x(constant(1.0f));
  const TestStream stream;
  float milliseconds = -1.0f;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, first, last), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventRecord(first, stream.get()), cudaSuccess);
  stream.add(x.data(), x.data(), 1.0f);
  EXPECT_EQ(cudaEventRecord(last, stream.get()), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, first, last), cudaErrorNotReady);
  EXPECT_EQ(cudaEventSynchronize(last), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, first, last), cudaSuccess);
  EXPECT_TRUE(milliseconds > 0.0f);
  EXPECT_EQ(cudaEventDestroy(first), cudaSuccess);
  EXPECT_EQ(cudaEventDestroy(last), cudaSuccess);
}

// ---- graphs ----
TEST(Graphs, are_recorded_once_and_run_often) {
  const DeviceVector<float> x(constant(1.0f));
  const DeviceVector<float> y(kCount);
  const TestStream stream;
  ASSERT_EQ(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_EQ(cudaMemsetAsync(y.data(), 0, kCount * 4, stream.get()), cudaSuccess);
  stream.add(x.data(), y.data(), 1.0f);
  EXPECT_EQ(cudaMemcpyAsync(x.data(), y.data(), kCount * 4, cudaMemcpyDefault, stream.get()), cudaSuccess);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamEndCapture(stream.get(), &graph), cudaSuccess);
  std::size_t nodes = 0;
  EXPECT_EQ(cudaGraphGetNodes(graph, nullptr, &nodes), cudaSuccess);
  EXPECT_EQ(nodes, 3u);
  cudaGraphExec_t executable = nullptr;
  ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  EXPECT_EQ(x.read()[0], 1.0f);
  for (int round = 0; round < 3; ++round) EXPECT_EQ(cudaGraphLaunch(executable, stream.get()), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream.get()), cudaSuccess);
  EXPECT_EQ(x.read()[0], 4.0f);
  EXPECT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
}

TEST(Graphs, are_spoiled_by_calls_that_wait) {
  const DeviceVector<float> x(constant(1.0f));
  const TestStream stream;
  void* memory = nullptr;
  const std::function<cudaError_t()> calls[] = {
      [&] { return cudaStreamSynchronize(stream.get()); },
      [&] { return cudaDeviceSynchronize(); },
      [&] { return cudaMalloc(&memory, 4); },
      [&] { return cudaMallocAsync(&memory, 4, stream.get()); },
      [&] { return cudaMemcpy(x.data(), x.data(), 4, cudaMemcpyDefault); },
  };
  for (const auto& call : calls) {
    ASSERT_EQ(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), cudaSuccess);
    EXPECT_EQ(call(), cudaErrorStreamCaptureUnsupported);
    cudaGraph_t graph = nullptr;
    EXPECT_EQ(cudaStreamEndCapture(stream.get(), &graph), cudaErrorStreamCaptureInvalidated);
    EXPECT_TRUE(graph == nullptr);
  }
}

// ---- memory ----
TEST(Memory, is_known_by_its_address) {
  const DeviceVector<float> x(kCount);
  const Pinned pinned;
  const float pageable = 0.0f;
  const auto type_of = [](const void* memory) {
    cudaPointerAttributes attributes;
    EXPECT_EQ(cudaPointerGetAttributes(&attributes, memory), cudaSuccess);
    return attributes.type;
  };
  EXPECT_EQ(type_of(x.data() + 3), cudaMemoryTypeDevice);
  EXPECT_EQ(type_of(pinned.data() + 3), cudaMemoryTypeHost);
  EXPECT_EQ(type_of(&pageable), cudaMemoryTypeUnregistered);
  EXPECT_EQ(type_of(x.data() + kCount), cudaMemoryTypeUnregistered);
}

TEST(Memory, is_aligned_and_not_a_number_at_first) {
  for (const std::size_t size : {1, 3, 63, 1000}) {
    const DeviceVector<float> x(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(x.data()) % 256, 0u);
    for (const float value : x.read()) EXPECT_TRUE(std::isnan(value));
  }
}

TEST(Memory, copies_stay_inside) {
  const DeviceVector<float> x(kCount);
  std::vector<float> y(2 * kCount);
  EXPECT_EQ(cudaMemcpy(y.data(), x.data(), kCount * 4 + 1, cudaMemcpyDeviceToHost), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaMemcpy(x.data(), y.data(), kCount * 4 + 1, cudaMemcpyHostToDevice), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaMemcpy(x.data(), y.data(), 4, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemset(y.data(), 0, 4), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaFree(x.data() + 1), cudaErrorInvalidValue);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
__global__ void write_at(int* y, int64_t i) { y[i] = 1; }

TEST(Memory, says_who_left_it) {
  const DeviceVector<int> y(4);
  EXPECT_EQ(run(&write_at, {}, y.data(), 3), "");
  EXPECT_TRUE(run(&write_at, {}, y.data(), 4).find("memory was written around an allocation of 16 bytes") !=
              std::string::npos);
  const std::string text = run(&write_at, {}, y.data(), 100);
  EXPECT_TRUE(text.find("thread (0,0,0): it touched byte 400 of an allocation of 16 bytes") != std::string::npos)
      << text;
}
#endif

struct Given {
  int64_t number;
  const float* x;
};
__global__ void read_given(const Given given, float* y) { *y = given.x[given.number]; }

TEST(Memory, of_the_host_is_not_given_to_kernels) {
  const std::vector<float> on_host = constant(1.0f);
  const DeviceVector<float> x(on_host);
  const DeviceVector<float> y(1);
  EXPECT_EQ(run(&read_given, {}, Given{3, x.data()}, y.data()), "");
  const std::string text = run(&read_given, {}, Given{3, on_host.data()}, y.data());
  EXPECT_TRUE(text.find("argument 0 holds an address of the host at byte 8") != std::string::npos) << text;
}

TEST(Memory, is_limited) {
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, std::size_t{1} << 40), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST(Memory, of_the_device_is_no_memory_of_the_host) {
  const DeviceVector<float> x(constant(1.0f));
  EXPECT_TRUE(stops_program([&] { x.data()[0] = 2.0f; }));
}

// ---- limits ----
cudaError_t launch_with(cudaLaunchConfig_t config, std::vector<cudaLaunchAttribute> attributes = {}) {
  const DeviceVector<int> y(uint64_t{config.gridDim.x} * config.blockDim.x);
  config.attrs = attributes.data();
  config.numAttrs = static_cast<unsigned>(attributes.size());
  const cudaError_t error = cudaLaunchKernelEx(&config, &fill_shared, y.data());
  return error != cudaSuccess ? error : cudaDeviceSynchronize();
}

TEST(Limits, of_blocks_are_kept) {
  EXPECT_EQ(launch_with({.gridDim = {1}, .blockDim = {1024}, .dynamicSmemBytes = 4096}), cudaSuccess);
  EXPECT_EQ(launch_with({.gridDim = {1}, .blockDim = {1025}, .dynamicSmemBytes = 8192}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch_with({.gridDim = {1}, .blockDim = {1, 1, 65}}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch_with({.gridDim = {0}, .blockDim = {1}}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch_with({.gridDim = {1, 65536}, .blockDim = {1}}), cudaErrorInvalidConfiguration);
}

TEST(Limits, of_shared_memory_are_kept) {
  const cudaLaunchConfig_t config = {.gridDim = {1}, .blockDim = {32}, .dynamicSmemBytes = 100 * 1024};
  EXPECT_EQ(launch_with(config), cudaErrorInvalidValue);
  const auto allow = [](int bytes) {
    return cudaFuncSetAttribute(&fill_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  };
  EXPECT_EQ(allow(228 * 1024), cudaErrorInvalidValue);
  EXPECT_EQ(allow(100 * 1024), cudaSuccess);
  EXPECT_EQ(launch_with(config), cudaSuccess);
  EXPECT_EQ(allow(0), cudaSuccess);
}

TEST(Limits, of_clusters_and_cooperative_grids_are_kept) {
  cudaLaunchConfig_t config = {.gridDim = {16}, .blockDim = {32}, .dynamicSmemBytes = 128};
  cudaLaunchAttribute cluster = {.id = cudaLaunchAttributeClusterDimension, .val = {.clusterDim = {8, 1, 1}}};
  EXPECT_EQ(launch_with(config, {cluster}), cudaSuccess);
  cluster.val.clusterDim.x = 16;
  EXPECT_EQ(launch_with(config, {cluster}), cudaErrorInvalidClusterSize);
  cluster.val.clusterDim.x = 3;
  EXPECT_EQ(launch_with(config, {cluster}), cudaErrorInvalidClusterSize);
  const cudaLaunchAttribute cooperative = {.id = cudaLaunchAttributeCooperative, .val = {.cooperative = 1}};
  config.dynamicSmemBytes = 48 * 1024;  // four blocks of a multiprocessor
  EXPECT_EQ(launch_with(config, {cooperative}), cudaSuccess);
  config.gridDim = {17};
  EXPECT_EQ(launch_with(config, {cooperative}), cudaErrorCooperativeLaunchTooLarge);
}

TEST(Limits, no_race_was_reported) { EXPECT_EQ(races, 0); }

}  // namespace
}  // namespace slipway::emulation
