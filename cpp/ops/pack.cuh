// Several elements that one instruction loads or stores.
#pragma once

#include <cstdint>
#include <type_traits>

#include "ops/launch.cuh"

namespace slipway::cuda {

template <typename T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
  T at[kCount];
};

/// Elements per thread and step: 16 bytes of float32. The other types are rare, and get the plain loop alone.
template <typename T>
inline constexpr int kPackOf = std::is_same_v<T, float> ? 4 : 1;

template <int kBytes>
[[nodiscard]] bool is_aligned(const void* data) noexcept {
  return reinterpret_cast<uintptr_t>(data) % kBytes == 0;
}

/// A thread's number in the grid, and the number of threads: loops go on in strides of the grid.
[[nodiscard]] __device__ inline int64_t grid_thread() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
[[nodiscard]] __device__ inline int64_t grid_threads() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

}  // namespace slipway::cuda
