// What libslipway_cuda.so gives to the engine: one exported function that returns this table.
//
// The engine opens the plugin at run time (device.cc), so a build or a machine without CUDA loses nothing but
// device="cuda". Both sides are built from one tree; `abi` and `version` keep others apart. Every function that can
// fail returns a cudaError_t, 0 for success; `explain` gives its text.
#pragma once

#include <cstddef>
#include <cstdint>

namespace slipway {

struct OpCall;

/// Raised with every change of this table, of OpCall or of a struct that prepare() hands to CUDA kernels.
inline constexpr int kCudaAbi = 2;

/// What a kernel on the device found forbidden. Lies in memory that both the host and the device see.
enum class DeviceFaultKind : int { kNone, kIndex, kSequenceLength, kDivisor };
struct DeviceFault {
  int kind = 0;
  int64_t got = 0;
  int64_t low = 0;
  int64_t high = 0;
};

struct CudaDeviceInfo {
  char name[256];
  int major;
  int minor;
  int multiprocessors;
  int shared_bytes;  ///< that a block may ask for
  int64_t memory_bytes;
};

struct CudaPlugin {
  int abi;
  const char* version;
  /// Number of devices; 0 with a reason in *why where there are none.
  int (*count_devices)(const char** why);
  int (*describe)(int device, CudaDeviceInfo* info);
  /// Makes `device` the calling thread's.
  int (*use)(int device);
  const char* (*explain)(int error);
  int (*make_stream)(void** stream);
  void (*destroy_stream)(void* stream);
  int (*synchronize)(void* stream);
  int (*allocate)(void** memory, int64_t bytes);
  void (*release)(void* memory);
  /// In order of the stream: later work on it may use, or reuse, the memory.
  int (*allocate_async)(void** memory, int64_t bytes, void* stream);
  int (*release_async)(void* memory, void* stream);
  /// Host memory that the device reads and writes too, at the same address.
  int (*allocate_pinned)(void** memory, int64_t bytes);
  void (*release_pinned)(void* memory);
  /// Between any two kinds of memory.
  int (*copy)(void* to, const void* from, int64_t bytes, void* stream);
  int (*fill)(void* memory, int byte, int64_t bytes, void* stream);
  /// Device number of the memory at this address, -1 where it is the host's.
  int (*device_of)(const void* memory);
  /// Whether somebody records what the stream is given; false where it cannot be known.
  bool (*is_capturing)(void* stream);
  int (*begin_capture)(void* stream);
  /// What was given to the stream since begin_capture, as a graph that can be launched again and again; null where it
  /// is but one launch, which a graph does not make cheaper.
  int (*end_capture)(void* stream, void** graph);
  int (*launch_graph)(void* graph, void* stream);
  void (*destroy_graph)(void* graph);
  /// A point of a stream, for which other streams can wait.
  int (*make_event)(void** event);
  int (*record_event)(void* event, void* stream);
  int (*wait_event)(void* event, void* stream);
  void (*destroy_event)(void* event);
  /// The kernel of the operator with this id; null where there is none.
  void (*(*find_kernel)(const char* id))(const OpCall&) noexcept;
};

}  // namespace slipway
