// What every .cu file includes: how kernels are started, and how they report.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>

#include "cuda/plugin.h"
#include "cuda/primitives.cuh"
#include "ops/call.h"

namespace slipway::cuda {

/// Grid and block of a launch.
struct Launch {
  dim3 grid = dim3(1);
  dim3 block = dim3(1);
  int64_t shared_bytes = 0;
  int cluster = 1;              ///< blocks of a cluster along x; above 1 needs sm_90
  bool is_cooperative = false;  ///< all blocks run at once, so that sync_grid() may be used
};

/// How much shared memory a kernel may ask for on a device.
struct AllowedShared {
  const void* kernel;
  int device;
  int bytes;
};

/// Raises what a kernel may ask for to `bytes`, as cudaFuncSetAttribute sets it, and never lowers it: it is one number
/// for all threads, and another one may be about to launch with more.
inline cudaError_t raise_shared(const void* kernel, int device, int bytes) noexcept {
  constexpr int kMost = 512;  // kernels that need it, times devices
  static std::mutex mutex;
  static AllowedShared allowed[kMost] = {};
  static int count = 0;
  const std::scoped_lock lock(mutex);
  AllowedShared* known = std::find_if(allowed, allowed + count, [&](const AllowedShared& one) {
    return one.kernel == kernel && one.device == device;
  });
  if (known < allowed + count && known->bytes >= bytes) return cudaSuccess;
  if (known == allowed + kMost) return cudaErrorMemoryAllocation;
  const cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  if (error != cudaSuccess) return error;
  if (known == allowed + count) ++count;
  *known = {kernel, device, bytes};
  return cudaSuccess;
}

/// Lets a kernel ask for so much shared memory; what was allowed is remembered by each thread, since setting it takes as
/// long as a launch.
inline cudaError_t allow_shared(const void* kernel, int bytes) noexcept {
  constexpr int kRemembered = 16;
  thread_local AllowedShared allowed[kRemembered] = {};
  thread_local int next = 0;
  int device = 0;
  cudaError_t error = cudaGetDevice(&device);
  if (error != cudaSuccess) return error;
  for (const AllowedShared& one : allowed) {
    if (one.kernel == kernel && one.device == device && one.bytes >= bytes) return cudaSuccess;
  }
  error = raise_shared(kernel, device, bytes);
  if (error == cudaSuccess) allowed[next++ % kRemembered] = {kernel, device, bytes};
  return error;
}

/// Starts kernel(arguments...) on the call's stream. A failure is reported to the call. Where the device can (sm_90) the
/// kernel may start before the one before it ends, so that it is there when its inputs are: every kernel calls
/// wait_for_previous() before it reads what another has written, and before it writes (start_in_order()).
template <typename... Parameters, typename... Arguments>
void launch(const OpCall& call, void (*kernel)(Parameters...), const Launch& how, Arguments&&... arguments) noexcept {
  if (how.grid.x == 0 || how.grid.y == 0 || how.grid.z == 0) return;
  constexpr int64_t kFreeBytes = 48 * 1024;  // more has to be asked for: CUDA C++ Programming Guide, 16.4.3
  cudaError_t error = cudaSuccess;
  if (how.shared_bytes > kFreeBytes) {
    error = allow_shared(reinterpret_cast<const void*>(kernel), static_cast<int>(how.shared_bytes));
  }
  cudaLaunchConfig_t config = {};
  config.gridDim = how.grid;
  config.blockDim = how.block;
  config.dynamicSmemBytes = static_cast<std::size_t>(how.shared_bytes);
  config.stream = static_cast<cudaStream_t>(call.stream);
  cudaLaunchAttribute attributes[3];
  int count = 0;
  if (how.cluster > 1) {
    attributes[count].id = cudaLaunchAttributeClusterDimension;
    attributes[count].val.clusterDim.x = static_cast<unsigned>(how.cluster);
    attributes[count].val.clusterDim.y = 1;
    attributes[count++].val.clusterDim.z = 1;
  }
  if (how.is_cooperative) {
    attributes[count].id = cudaLaunchAttributeCooperative;
    attributes[count++].val.cooperative = 1;
  }
  if (call.starts_early) {
    attributes[count].id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attributes[count++].val.programmaticStreamSerializationAllowed = 1;
  }
  config.attrs = attributes;
  config.numAttrs = static_cast<unsigned>(count);
  if (error == cudaSuccess) error = cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...);
  if (error != cudaSuccess) call.report_device(cudaGetErrorString(error));
}

/// Blocks of `threads` for `count` elements, one each, capped: kernels go on in strides of the grid.
[[nodiscard]] inline unsigned blocks_for(int64_t count, int threads, int64_t most = 132 * 16) noexcept {
  const int64_t blocks = (count + threads - 1) / threads;
  return static_cast<unsigned>(blocks < most ? blocks : most);
}

/// Reports the first forbidden value; later ones are dropped.
__device__ inline void report(DeviceFault* fault, DeviceFaultKind kind, int64_t got, int64_t low, int64_t high) {
  if (atomicCAS(&fault->kind, 0, static_cast<int>(kind)) != 0) return;
  fault->got = got;
  fault->low = low;
  fault->high = high;
}

}  // namespace slipway::cuda
