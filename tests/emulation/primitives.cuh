// The twins of what cpp/cuda/primitives.cuh writes in PTX.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "cuda_threads.h"

/// A block's dynamic shared memory. A device promises no more than 16 bytes of alignment.
#define SLIPWAY_SHARED(T, name)                                            \
  static_assert(alignof(T) <= 16, "shared memory is aligned to 16 bytes"); \
  T* const name = reinterpret_cast<T*>(::slipway::emulation::shared_memory())

namespace slipway::emulation {

void start_copy(void* to, const void* data, std::size_t bytes, const Where& where);
void commit_started_copies();
void finish_copies(std::size_t groups_left);

/// Denormal numbers as 0 of their sign: what ".ftz" does to operands and results.
inline float flushed(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }

/// Rounded towards zero, as tensor cores do when they accumulate.
inline float truncated(double x) {
  const auto near = static_cast<float>(x);
  return std::fabs(static_cast<double>(near)) > std::fabs(x) ? std::nextafter(near, 0.0f) : near;
}

/// What a tensor core sees of a float32 in a TF32 operand: the low 13 bits are dropped.
inline double as_tf32(uint32_t bits) { return static_cast<double>(std::bit_cast<float>(bits & 0xffffe000u)); }

}  // namespace slipway::emulation

namespace slipway::cuda {

inline float exp2_fast(float x) { return emulation::flushed(exp2f(emulation::flushed(x))); }
inline float reciprocal_fast(float x) { return emulation::flushed(1.0f / emulation::flushed(x)); }

template <int kBytes>
void copy_async(void* shared, const void* global, bool is_there = true,
                emulation::Where where = emulation::Where::current()) {
  static_assert(kBytes == 4 || kBytes == 8 || kBytes == 16);
  if (emulation::capability() < 80) emulation::fail_thread("copy_async() needs sm_80", where);
  const auto is_aligned = [](const void* at) { return reinterpret_cast<std::uintptr_t>(at) % kBytes == 0; };
  if (!is_aligned(shared) || !is_aligned(global)) emulation::fail_thread("copy_async() of a misaligned address", where);
  unsigned char data[kBytes] = {};
  if (is_there) std::memcpy(data, global, kBytes);
  emulation::start_copy(shared, data, kBytes, where);
  std::memset(shared, 0xff, kBytes);
}
inline void commit_copies() { emulation::commit_started_copies(); }
template <int kLeft>
void wait_for_copies() {
  emulation::finish_copies(kLeft);
}

inline uint32_t to_tf32(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  if (!std::isfinite(x)) return std::isnan(x) ? 0x7fffffffu : bits;
  return (bits + 0x1000u) & 0xffffe000u;  // to nearest, ties away from zero
}

inline void multiply_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                          emulation::Where where = emulation::Where::current()) {
  if (emulation::capability() < 80) emulation::fail_thread("multiply_tf32() needs sm_80", where);
  struct Operands {
    uint32_t a[4];
    uint32_t b[2];
  };
  const Operands own = {{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  const emulation::LaneValue* lanes =
      emulation::meet_warp(emulation::Meeting::kMultiply, 0xffffffffu, emulation::LaneValue::of(own), where);
  const int g = emulation::lane() / 4;
  const int t = emulation::lane() % 4;
  for (int i = 0; i < 4; ++i) {
    const int half = i / 2;  // row g or g + 8
    const int column = 2 * t + i % 2;
    double sum = static_cast<double>(d[i]);
    for (int k = 0; k < 8; ++k) {
      const auto left = lanes[4 * g + k % 4].as<Operands>().a[half + 2 * (k / 4)];
      const auto right = lanes[4 * column + k % 4].as<Operands>().b[k / 4];
      sum += emulation::as_tf32(left) * emulation::as_tf32(right);
    }
    d[i] = emulation::truncated(sum);
  }
}

inline unsigned cluster_rank() { return emulation::rank_in_cluster(); }
inline void sync_cluster(emulation::Where where = emulation::Where::current()) {
  if (emulation::capability() < 90) emulation::fail_thread("sync_cluster() needs sm_90", where);
  emulation::meet_cluster(where);
}
/// Kernels of a stream run one after the other here.
inline void let_next_start() {}
inline void wait_for_previous() {}
template <typename T>
T* in_cluster(T* shared, unsigned rank, emulation::Where where = emulation::Where::current()) {
  const auto offset = reinterpret_cast<const unsigned char*>(shared) - emulation::shared_memory();
  if (offset < 0 || offset > emulation::shared_bytes()) {
    emulation::fail_thread("in_cluster() of an address that is not in shared memory", where);
  }
  return reinterpret_cast<T*>(emulation::shared_memory_of(rank, where) + offset);
}
inline void store_in_cluster(float* shared, unsigned rank, float value,
                             emulation::Where where = emulation::Where::current()) {
  *in_cluster(shared, rank, where) = value;
}
/// A barrier of all threads of a cooperative grid.
inline void sync_grid(emulation::Where where = emulation::Where::current()) { emulation::meet_grid(where); }

}  // namespace slipway::cuda
