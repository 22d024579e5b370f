// Walks on the device: the offsets of any element, computed from its number alone.
#pragma once

#include "ops/launch.cuh"
#include "ops/walk.h"

namespace slipway::cuda {

/// A size that device code divides by: n / size = (high half of n * magic + n) >> shift, for n below half the range of
/// its type. Granlund and Montgomery, Division by Invariant Integers using Multiplication, 1994, figure 4.1.
struct Divisor {
  int64_t size = 1;
  uint64_t magic = 1;
  int shift = 0;
};

/// For numerators of 32 bits, or of 64 where `is_large`.
[[nodiscard]] inline Divisor divisor_of(int64_t size, bool is_large) noexcept {
  Divisor divisor{size, 0, 0};
  const auto divided_by = static_cast<uint64_t>(size);
  while (uint64_t{1} << divisor.shift < divided_by) ++divisor.shift;
  uint64_t rest = (uint64_t{1} << divisor.shift) - divided_by;
  for (int bit = 0; bit < (is_large ? 64 : 32); ++bit) {
    rest *= 2;
    divisor.magic *= 2;
    if (rest < divided_by) continue;
    rest -= divided_by;
    ++divisor.magic;
  }
  ++divisor.magic;
  return divisor;
}

[[nodiscard]] __device__ inline uint32_t divide(uint32_t n, const Divisor& by) {
  return (__umulhi(n, static_cast<uint32_t>(by.magic)) + n) >> by.shift;
}
[[nodiscard]] __device__ inline uint64_t divide(uint64_t n, const Divisor& by) {
  return (__umul64hi(n, by.magic) + n) >> by.shift;
}

[[nodiscard]] __device__ inline int64_t divide(int64_t n, const Divisor& by, bool is_large) {
  return is_large ? static_cast<int64_t>(divide(static_cast<uint64_t>(n), by))
                  : static_cast<int64_t>(divide(static_cast<uint32_t>(n), by));
}
/// Whether numbers below `count` need 64 bits to be divided.
[[nodiscard]] inline bool is_large(int64_t count) noexcept { return count > INT32_MAX; }

/// Where an element lies in each of N tensors.
template <int N>
struct Offsets {
  int64_t at[N];
};

/// A Walk<N> as a kernel's parameter.
template <int N>
struct DeviceWalk {
  int64_t count = 1;
  bool has_large_count = false;
  int rank = 0;
  Divisor sizes[kMaxWalkRank];
  int64_t strides[kMaxWalkRank][N] = {};

  DeviceWalk() noexcept = default;
  explicit DeviceWalk(const Walk<N>& walk) noexcept
      : count(walk.count()), has_large_count(is_large(count)), rank(walk.rank()) {
    for (int axis = 0; axis < rank; ++axis) {
      sizes[axis] = divisor_of(walk.size(axis), has_large_count);
      for (int n = 0; n < N; ++n) strides[axis][n] = walk.strides(axis)[n];
    }
  }

  /// Offsets of element i, in row-major order.
  [[nodiscard]] __device__ Offsets<N> locate(int64_t i) const {
    return has_large_count ? locate_in(static_cast<uint64_t>(i)) : locate_in(static_cast<uint32_t>(i));
  }

 private:
  template <typename Number>
  [[nodiscard]] __device__ Offsets<N> locate_in(Number i) const {
    Offsets<N> found{};
#pragma unroll 1
    for (int axis = rank - 1; axis > 0; --axis) {
      const Number outer = divide(i, sizes[axis]);
      const auto index = static_cast<int64_t>(i - outer * static_cast<Number>(sizes[axis].size));
      for (int n = 0; n < N; ++n) found.at[n] += index * strides[axis][n];
      i = outer;
    }
    for (int n = 0; n < N; ++n) found.at[n] += static_cast<int64_t>(i) * strides[0][n];
    return found;
  }
};

}  // namespace slipway::cuda
