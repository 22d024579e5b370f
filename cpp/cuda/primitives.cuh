// For code on the device: a block's shared memory, and the instructions that C++ has no name for.
//
// The same sources are compiled by g++ against tests/emulation/, whose cuda_runtime.h runs the threads of a grid on the
// CPU; each function here that contains PTX has its twin there. Rules that make this possible: launch()
// (ops/launch.cuh) alone starts kernels; shared memory comes from SLIPWAY_SHARED alone, so all of it is dynamic; warp
// operations name all lanes (kAllLanes) and are reached by all; parameters are plain structs.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace slipway::cuda {

inline constexpr int kWarpLog = 5;
inline constexpr int kWarp = 1 << kWarpLog;
inline constexpr unsigned kAllLanes = 0xffffffffu;

#if defined(SLIPWAY_EMULATION)
}  // namespace slipway::cuda
#include "emulation/primitives.cuh"
namespace slipway::cuda {
#else

/// A block's dynamic shared memory, aligned to 16 bytes, as an array of T named `name`. Once in a kernel.
#define SLIPWAY_SHARED(T, name)                                         \
  extern __shared__ __align__(16) unsigned char slipway_shared_bytes[]; \
  T* const name = reinterpret_cast<T*>(slipway_shared_bytes)

/// 2^x, error 2 ulp; 0 for large negative x. PTX ISA, ex2.approx.ftz.f32.
__device__ __forceinline__ float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// 1 / x, error 1 ulp. PTX ISA, rcp.approx.ftz.f32.
__device__ __forceinline__ float reciprocal_fast(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// What a GPU lacks is not compiled for it; whoever uses it has asked the device before (CudaDevice::capability).
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
#define SLIPWAY_SM80(statement) statement
#else
#define SLIPWAY_SM80(statement) __trap()
#endif
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
#define SLIPWAY_SM90(statement) statement
#else
#define SLIPWAY_SM90(statement) __trap()
#endif

/// Starts to copy 4, 8 or 16 bytes from global to shared memory; zeros where `is_there` is false, and then nothing is
/// read. PTX ISA, cp.async.
template <int kBytes>
__device__ __forceinline__ void copy_async(void* shared, const void* global, bool is_there = true) {
  const auto to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  [[maybe_unused]] const int bytes = is_there ? kBytes : 0;
  if constexpr (kBytes == 16) {
    SLIPWAY_SM80(
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(global), "r"(bytes) : "memory"));
  } else {
    SLIPWAY_SM80(asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(to), "l"(global), "n"(kBytes),
                              "r"(bytes) : "memory"));
  }
}
/// Ends a group of copy_async.
__device__ __forceinline__ void commit_copies() { SLIPWAY_SM80(asm volatile("cp.async.commit_group;" :: : "memory")); }
/// Waits until at most kLeft of this thread's groups are under way. Others see the data after a __syncthreads().
template <int kLeft>
__device__ __forceinline__ void wait_for_copies() {
  SLIPWAY_SM80(asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory"));
}

/// float32 rounded to TF32 (10 bits of mantissa), to nearest.
__device__ __forceinline__ uint32_t to_tf32(float x) {
  uint32_t y = 0;
  SLIPWAY_SM80(asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x)));
  return y;
}
/// d += a * b, over a warp: a [16, 8], b [8, 8], d [16, 8]. With g = lane / 4 and t = lane % 4, a lane holds
/// a: (g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4); b: (t, g), (t + 4, g); d: (g, 2t), (g, 2t + 1), (g + 8, 2t),
/// (g + 8, 2t + 1). PTX ISA, mma.m16n8k8 with .tf32.
__device__ __forceinline__ void multiply_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  SLIPWAY_SM80(asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" : "+f"(
          d[0]),
      "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1])));
}

/// This block's number in its cluster, and the number of blocks in it. sm_90.
__device__ __forceinline__ unsigned cluster_rank() {
  unsigned rank = 0;
  SLIPWAY_SM90(asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank)));
  return rank;
}
/// A barrier of all threads of the cluster; what they wrote to shared memory before it is seen after it. sm_90.
__device__ __forceinline__ void sync_cluster() {
  SLIPWAY_SM90(asm volatile("barrier.cluster.arrive.aligned;\nbarrier.cluster.wait.aligned;" :: : "memory"));
}
/// The address in block `rank` of the cluster that corresponds to this one in our shared memory. sm_90.
template <typename T>
__device__ __forceinline__ T* in_cluster(T* shared, unsigned rank) {
  uint64_t address = 0;
  SLIPWAY_SM90(asm("mapa.u64 %0, %1, %2;" : "=l"(address) : "l"(reinterpret_cast<uint64_t>(shared)), "r"(rank)));
  return reinterpret_cast<T*>(address);
}

/// Writes to block `rank` of the cluster what *in_cluster(shared, rank) names. PTX ISA, st.shared::cluster. sm_90.
__device__ __forceinline__ void store_in_cluster(float* shared, unsigned rank, float value) {
  [[maybe_unused]] const auto own = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  SLIPWAY_SM90(asm volatile(
      "{ .reg .u32 at;\nmapa.shared::cluster.u32 at, %0, %1;\nst.shared::cluster.f32 [at], %2; }" ::"r"(own),
      "r"(rank), "f"(value) : "memory"));
}

/// Lets the stream's next kernel start where there is room, if it is one that starts early (Launch). sm_90.
__device__ __forceinline__ void let_next_start() {
  SLIPWAY_SM90(asm volatile("griddepcontrol.launch_dependents;" :: : "memory"));
}
/// Waits for the end of what the stream was given before: until then a kernel that starts early reads nothing that this
/// writes, and writes nothing. sm_90.
__device__ __forceinline__ void wait_for_previous() {
  SLIPWAY_SM90(asm volatile("griddepcontrol.wait;" :: : "memory"));
}

#endif

/// The first line of a kernel, unless it reads constants before it waits: every launch may come early (launch.cuh).
__device__ __forceinline__ void start_in_order() {
  let_next_start();
  wait_for_previous();
}

/// The sum over a warp, in every lane.
__device__ __forceinline__ float warp_sum(float x) {
  for (int other = kWarp / 2; other > 0; other /= 2) x += __shfl_xor_sync(kAllLanes, x, other);
  return x;
}

/// 1 / (1 + e^-x): |error| < 2e-7.
__device__ __forceinline__ float sigmoid(float x) {
  return reciprocal_fast(1.0f + exp2_fast(-1.4426950408889634f * x));
}
/// Hyperbolic tangent: relative error < 5e-7. Below 0.35 an odd polynomial of degree 11 (Taylor's series), since
/// 1 - e cancels there.
__device__ __forceinline__ float tanh_fast(float x) {
  const float size = fabsf(x);
  const float square = x * x;
  float p = -1382.0f / 155925.0f;
  p = fmaf(p, square, 62.0f / 2835.0f);
  p = fmaf(p, square, -17.0f / 315.0f);
  p = fmaf(p, square, 2.0f / 15.0f);
  p = fmaf(p, square, -1.0f / 3.0f);
  const float near_zero = fmaf(x * square, p, x);
  const float e = exp2_fast(-2.8853900817779268f * size);
  const float far = copysignf((1.0f - e) * reciprocal_fast(1.0f + e), x);
  return size < 0.35f ? near_zero : far;
}

}  // namespace slipway::cuda
