// Streams as queues of work that is done late: when somebody waits for it, as a device may. So a missing wait shows.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cuda_host.h"
#include "runtime.h"

namespace slipway::emulation {

/// Guards every stream and event; free while work is done.
extern std::mutex stream_mutex;

struct Graph {
  std::vector<Work> work;
};

struct Stream {
  bool waits_for_legacy = true;  ///< as the legacy stream waits for it
  std::deque<Work> queue;
  uint64_t done = 0;        ///< items so far
  bool is_running = false;  ///< a host thread is at an item
  std::string error;        ///< of the first item that failed; the others are then left out
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  Graph recorded;
};

/// A place in a stream's queue.
struct Point {
  std::shared_ptr<Stream> stream;
  uint64_t number = 0;  ///< of the items before it
  std::chrono::steady_clock::time_point time;
};

/// The stream of a handle; null where there is no such stream.
[[nodiscard]] std::shared_ptr<Stream> find_stream(Stream* handle);
/// Behind all that the stream was given so far.
[[nodiscard]] Point end_of(const std::shared_ptr<Stream>& stream);
/// Does the work before the point, unless another host thread does. Gives the stream's error, and forgets it.
cudaError_t run_until(const Point& point);

}  // namespace slipway::emulation
