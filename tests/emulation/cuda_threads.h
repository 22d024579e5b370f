// What a kernel's thread knows of itself, and how it meets the others: barriers, warp operations, fences.
//
// Every meeting remembers where in the source it was called, so that threads that meet at different places are found.
// Warp operations are covered where all lanes of the warp take part, as the house rules ask.
#pragma once

#include <cstdint>
#include <cstring>
#include <source_location>
#include <type_traits>

#include "cuda_vectors.h"

// Set whenever another thread of the grid goes on. In the static block of TLS, since every kernel reads them often.
#define SLIPWAY_BUILTIN extern thread_local constinit __attribute__((tls_model("initial-exec")))
SLIPWAY_BUILTIN uint3 threadIdx;
SLIPWAY_BUILTIN uint3 blockIdx;
SLIPWAY_BUILTIN dim3 blockDim;
SLIPWAY_BUILTIN dim3 gridDim;
#undef SLIPWAY_BUILTIN
inline constexpr int warpSize = 32;

namespace slipway::emulation {

using Where = std::source_location;

/// What a thread waits for others with. Two threads that should meet but do so by different ones have diverged.
enum class Meeting : int {
  kNone,
  kSyncThreads,
  kSyncThreadsOr,
  kSyncThreadsAnd,
  kSyncThreadsCount,
  kSyncCluster,
  kSyncGrid,
  kSyncWarp,
  kShuffle,
  kShuffleUp,
  kShuffleDown,
  kShuffleXor,
  kBallot,
  kAny,
  kAll,
  kMultiply
};

/// What one lane gives to a warp operation.
struct alignas(16) LaneValue {
  unsigned char bytes[32];

  template <typename T>
  static LaneValue of(const T& value) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(bytes));
    LaneValue made;
    std::memcpy(made.bytes, &value, sizeof(T));
    return made;
  }
  template <typename T>
  [[nodiscard]] T as() const {
    T value;
    std::memcpy(&value, bytes, sizeof(T));
    return value;
  }
};

/// Ends the grid with an error that names kernel, block and thread.
[[noreturn]] void fail_thread(const char* what, const Where& where);

/// Waits for all threads of the block; gives the number of those that came with `is_set`.
int meet_block(Meeting meeting, bool is_set, const Where& where);
void meet_cluster(const Where& where);
void meet_grid(const Where& where);
/// Waits for all lanes of the warp; gives what all 32 brought, valid until the thread's next but one warp operation.
const LaneValue* meet_warp(Meeting meeting, unsigned mask, const LaneValue& value, const Where& where);
/// Lets all others go on first.
void yield_thread(const Where& where);

[[nodiscard]] int lane();
/// This thread's number in its block.
[[nodiscard]] int thread_number();
[[nodiscard]] int threads_of_block();
[[nodiscard]] unsigned char* shared_memory();
[[nodiscard]] int64_t shared_bytes();
[[nodiscard]] unsigned rank_in_cluster();
/// 90 for compute capability 9.0.
[[nodiscard]] int capability();
[[nodiscard]] unsigned blocks_of_cluster();
/// The shared memory of another block of the cluster.
[[nodiscard]] unsigned char* shared_memory_of(unsigned rank, const Where& where);

/// The value of lane `source` in this lane's segment of `width` lanes; our own where it lies outside.
template <typename T>
T shuffle(Meeting meeting, unsigned mask, T value, int operand, int width, const Where& where) {
  static_assert(std::is_arithmetic_v<T> && (sizeof(T) == 4 || sizeof(T) == 8), "no shuffle of this type on a device");
  if (width <= 0 || width > warpSize || (width & (width - 1)) != 0) {
    fail_thread("a shuffle's width is a power of two up to 32", where);
  }
  const int own = lane();
  const LaneValue* lanes = meet_warp(meeting, mask, LaneValue::of(value), where);
  const int first = own & ~(width - 1);
  int source = own;
  if (meeting == Meeting::kShuffle) source = first + (operand & (width - 1));
  if (meeting == Meeting::kShuffleUp) source = own - operand;
  if (meeting == Meeting::kShuffleDown) source = own + operand;
  if (meeting == Meeting::kShuffleXor) source = own ^ operand;
  // An exclusive or may read from an earlier segment, not from a later one. PTX ISA, shfl.sync.
  const bool is_before = source < first && meeting != Meeting::kShuffleXor;
  const bool is_outside = is_before || source < 0 || source >= first + width;
  return is_outside ? value : lanes[source].as<T>();
}

}  // namespace slipway::emulation

// ---- barriers and fences ----
inline void __syncthreads(slipway::emulation::Where where = slipway::emulation::Where::current()) {
  slipway::emulation::meet_block(slipway::emulation::Meeting::kSyncThreads, false, where);
}
inline int __syncthreads_or(int x, slipway::emulation::Where where = slipway::emulation::Where::current()) {
  return slipway::emulation::meet_block(slipway::emulation::Meeting::kSyncThreadsOr, x != 0, where) > 0;
}
inline int __syncthreads_and(int x, slipway::emulation::Where where = slipway::emulation::Where::current()) {
  using slipway::emulation::Meeting;
  return slipway::emulation::meet_block(Meeting::kSyncThreadsAnd, x != 0, where) ==
         slipway::emulation::threads_of_block();
}
inline int __syncthreads_count(int x, slipway::emulation::Where where = slipway::emulation::Where::current()) {
  return slipway::emulation::meet_block(slipway::emulation::Meeting::kSyncThreadsCount, x != 0, where);
}
inline void __syncwarp(unsigned mask = 0xffffffffu,
                       slipway::emulation::Where where = slipway::emulation::Where::current()) {
  slipway::emulation::meet_warp(slipway::emulation::Meeting::kSyncWarp, mask, {}, where);
}
inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_system() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
/// A thread that waits in a loop for another one has to call this, since only one runs at a time.
inline void __nanosleep(unsigned, slipway::emulation::Where where = slipway::emulation::Where::current()) {
  slipway::emulation::yield_thread(where);
}
[[noreturn]] inline void __trap(slipway::emulation::Where where = slipway::emulation::Where::current()) {
  slipway::emulation::fail_thread("__trap()", where);
}

// ---- warp operations ----
template <typename T>
T __shfl_sync(unsigned mask, T value, int source, int width = warpSize,
              slipway::emulation::Where where = slipway::emulation::Where::current()) {
  return slipway::emulation::shuffle(slipway::emulation::Meeting::kShuffle, mask, value, source, width, where);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = warpSize,
                 slipway::emulation::Where where = slipway::emulation::Where::current()) {
  using slipway::emulation::Meeting;
  return slipway::emulation::shuffle(Meeting::kShuffleUp, mask, value, static_cast<int>(by), width, where);
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = warpSize,
                   slipway::emulation::Where where = slipway::emulation::Where::current()) {
  using slipway::emulation::Meeting;
  return slipway::emulation::shuffle(Meeting::kShuffleDown, mask, value, static_cast<int>(by), width, where);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int with, int width = warpSize,
                  slipway::emulation::Where where = slipway::emulation::Where::current()) {
  return slipway::emulation::shuffle(slipway::emulation::Meeting::kShuffleXor, mask, value, with, width, where);
}

namespace slipway::emulation {
/// The lanes of the warp that came with `is_set`; lanes that do not exist have not.
inline unsigned vote(Meeting meeting, unsigned mask, bool is_set, const Where& where) {
  const LaneValue* lanes = meet_warp(meeting, mask, LaneValue::of(is_set), where);
  unsigned set = 0;
  for (int i = 0; i < warpSize; ++i) set |= ((mask >> i & 1u) != 0 && lanes[i].as<bool>() ? 1u : 0u) << i;
  return set;
}
}  // namespace slipway::emulation

inline unsigned __ballot_sync(unsigned mask, int x,
                              slipway::emulation::Where where = slipway::emulation::Where::current()) {
  return slipway::emulation::vote(slipway::emulation::Meeting::kBallot, mask, x != 0, where);
}
inline int __any_sync(unsigned mask, int x, slipway::emulation::Where where = slipway::emulation::Where::current()) {
  return slipway::emulation::vote(slipway::emulation::Meeting::kAny, mask, x != 0, where) != 0;
}
inline int __all_sync(unsigned mask, int x, slipway::emulation::Where where = slipway::emulation::Where::current()) {
  return slipway::emulation::vote(slipway::emulation::Meeting::kAll, mask, x != 0, where) == mask;
}
