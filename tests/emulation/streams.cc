// Streams, events and graphs.
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime.h"

namespace slipway::emulation {

struct Graph {
  std::vector<Work> work;
};

struct ExecutableGraph {
  std::vector<Work> work;
};

struct Stream {
  std::mutex mutex;
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  Graph recorded;
};

struct Event {
  unsigned flags = 0;
  bool is_recorded = false;
  std::chrono::steady_clock::time_point time;
};

namespace {

Stream& legacy_stream() {
  static auto* stream = new Stream;
  return *stream;
}

Stream& stream_of(Stream* stream) { return stream == nullptr ? legacy_stream() : *stream; }

// The stream that the calling thread captures with a mode that forbids unsafe calls.
thread_local constinit Stream* strict_capture = nullptr;

cudaError_t do_now(const Work& work) {
  const std::string text = work();
  return text.empty() ? cudaSuccess : note(cudaErrorLaunchFailure, text);
}

// For calls that a capturing stream does not allow.
cudaError_t refuse_capture(Stream* stream) {
  Stream& captured = stream_of(stream);
  const std::scoped_lock lock(captured.mutex);
  if (captured.status == cudaStreamCaptureStatusNone) return cudaSuccess;
  captured.status = cudaStreamCaptureStatusInvalidated;
  return note(cudaErrorStreamCaptureUnsupported);
}

}  // namespace

cudaError_t enqueue(Stream* given, Work work) {
  Stream& stream = stream_of(given);
  if (given == nullptr && strict_capture != nullptr) {
    (void)refuse_capture(strict_capture);
    return note(cudaErrorStreamCaptureImplicit);
  }
  const std::scoped_lock lock(stream.mutex);
  if (stream.status == cudaStreamCaptureStatusInvalidated) return note(cudaErrorStreamCaptureInvalidated);
  if (stream.status == cudaStreamCaptureStatusNone) return do_now(work);
  stream.recorded.work.push_back(std::move(work));
  return cudaSuccess;
}

bool spoils_capture() { return strict_capture != nullptr && refuse_capture(strict_capture) != cudaSuccess; }

bool is_capturing(const Stream* stream) { return stream != nullptr && stream->status != cudaStreamCaptureStatusNone; }

}  // namespace slipway::emulation

using namespace slipway::emulation;

// ---- streams ----
cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, cudaStreamDefault); }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  if (flags > cudaStreamNonBlocking) return note(cudaErrorInvalidValue);
  *stream = new Stream;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (stream == nullptr) return note(cudaErrorInvalidResourceHandle);
  if (const cudaError_t error = refuse_capture(stream); error != cudaSuccess) return error;
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) { return refuse_capture(stream); }
cudaError_t cudaStreamQuery(cudaStream_t stream) { return refuse_capture(stream); }

cudaError_t cudaDeviceSynchronize() { return spoils_capture() ? note(cudaErrorStreamCaptureUnsupported) : cudaSuccess; }

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  if (event == nullptr) return note(cudaErrorInvalidResourceHandle);
  if (flags != 0) return note(cudaErrorInvalidValue);
  return refuse_capture(stream);
}

// ---- events ----
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  if (flags > (cudaEventBlockingSync | cudaEventDisableTiming)) return note(cudaErrorInvalidValue);
  *event = new Event{flags, false, {}};
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (event == nullptr) return note(cudaErrorInvalidResourceHandle);
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (event == nullptr) return note(cudaErrorInvalidResourceHandle);
  if (const cudaError_t error = refuse_capture(stream); error != cudaSuccess) return error;
  event->is_recorded = true;
  event->time = std::chrono::steady_clock::now();
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return note(event == nullptr ? cudaErrorInvalidResourceHandle : cudaSuccess);
}
cudaError_t cudaEventQuery(cudaEvent_t event) { return cudaEventSynchronize(event); }

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t first, cudaEvent_t last) {
  if (first == nullptr || last == nullptr || !first->is_recorded || !last->is_recorded ||
      ((first->flags | last->flags) & cudaEventDisableTiming) != 0) {
    return note(cudaErrorInvalidResourceHandle);
  }
  *milliseconds = std::chrono::duration<float, std::milli>(last->time - first->time).count();
  return cudaSuccess;
}

// ---- graphs ----
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  if (stream == nullptr) return note(cudaErrorStreamCaptureUnsupported);
  const std::scoped_lock lock(stream->mutex);
  if (stream->status != cudaStreamCaptureStatusNone || strict_capture != nullptr) return note(cudaErrorInvalidValue);
  stream->status = cudaStreamCaptureStatusActive;
  stream->mode = mode;
  stream->recorded = {};
  if (mode != cudaStreamCaptureModeRelaxed) strict_capture = stream;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (stream == nullptr) return note(cudaErrorInvalidValue);
  const std::scoped_lock lock(stream->mutex);
  if (stream->status == cudaStreamCaptureStatusNone) return note(cudaErrorStreamCaptureUnmatched);
  if (stream->mode != cudaStreamCaptureModeRelaxed && strict_capture != stream) {
    return note(cudaErrorStreamCaptureWrongThread);
  }
  if (stream->mode != cudaStreamCaptureModeRelaxed) strict_capture = nullptr;
  const auto status = std::exchange(stream->status, cudaStreamCaptureStatusNone);
  if (status == cudaStreamCaptureStatusInvalidated) return note(cudaErrorStreamCaptureInvalidated);
  *graph = new Graph(std::exchange(stream->recorded, {}));
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  const std::scoped_lock lock(stream_of(stream).mutex);
  *status = stream_of(stream).status;
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  if (graph == nullptr) return note(cudaErrorInvalidValue);
  if (nodes != nullptr) return note(cudaErrorNotSupported);
  *count = graph->work.size();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags) {
  if (graph == nullptr) return note(cudaErrorInvalidValue);
  if (flags != 0) return note(cudaErrorNotSupported);
  *executable = new ExecutableGraph{graph->work};
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (executable == nullptr) return note(cudaErrorInvalidValue);
  for (const Work& work : executable->work) {
    if (const cudaError_t error = enqueue(stream, work); error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
