// What the parts of the host's side share: the device that is pretended, errors, memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "cuda_host.h"

namespace slipway::emulation {

// The device: an sm_90 with few multiprocessors, since every one more costs time and shows nothing. Where
// SLIPWAY_EMULATED_CAPABILITY is 75 or 80 it has what such a device has, and no more.
inline constexpr int kMultiprocessors = 4;
inline constexpr int kThreadsPerMultiprocessor = 2048;
inline constexpr int kBlocksPerMultiprocessor = 32;
inline constexpr std::size_t kGlobalBytes = std::size_t{16} << 30;
inline constexpr int kMostThreads = 1024;
inline constexpr std::size_t kFreeSharedBytes = 48 * 1024;
inline constexpr std::size_t kMostSharedBytes = 227 * 1024;
inline constexpr std::size_t kOldSharedBytes = 64 * 1024;  // of sm_75
inline constexpr std::size_t kSharedBytesPerMultiprocessor = 228 * 1024;
/// CUDA C++ Programming Guide, "Shared Memory" of compute capability 9.0: kept by the system in every block.
inline constexpr std::size_t kReservedSharedBytes = 1024;
/// What every device of compute capability 9.0 has; 16 only some.
inline constexpr unsigned kMostBlocksOfCluster = 8;

/// Remembers the error for cudaGetLastError() and gives it back.
cudaError_t note(cudaError_t error);
/// The same with a text, which is printed and becomes the error's.
cudaError_t note(cudaError_t error, const std::string& text);

/// Work of a stream; gives "" or what went wrong.
using Work = std::function<std::string()>;
/// Gives work to a stream (null: the legacy stream), or to the graph that it records.
cudaError_t enqueue(Stream* stream, Work work);
/// True while the calling thread records a graph in a mode that forbids calls which may wait for the device. The
/// capture is then invalid.
[[nodiscard]] bool spoils_capture();
[[nodiscard]] bool is_capturing(Stream* handle);
/// Error where the stream is capturing: the capture is then invalid.
cudaError_t refuse_capture(Stream* handle);

/// Does the work of all streams, and leaves its errors to whoever waits for those.
void finish_all_work();

}  // namespace slipway::emulation
