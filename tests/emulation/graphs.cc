// Graphs: what a stream is given while it captures, to be given again and again.
#include <utility>

#include "stream.h"

namespace slipway::emulation {

struct ExecutableGraph {
  std::vector<Work> work;
};

namespace {

// The stream that the calling thread captures in a mode that forbids calls which may wait for the device.
thread_local constinit Stream* strict_capture = nullptr;

}  // namespace

bool spoils_capture() { return strict_capture != nullptr && refuse_capture(strict_capture) != cudaSuccess; }

bool is_capturing(Stream* handle) {
  const std::shared_ptr<Stream> stream = find_stream(handle);
  const std::scoped_lock lock(stream_mutex);
  return stream != nullptr && stream->status != cudaStreamCaptureStatusNone;
}

cudaError_t refuse_capture(Stream* handle) {
  const std::shared_ptr<Stream> stream = find_stream(handle);
  if (stream == nullptr) return note(cudaErrorInvalidResourceHandle);
  const std::scoped_lock lock(stream_mutex);
  if (stream->status == cudaStreamCaptureStatusNone) return cudaSuccess;
  stream->status = cudaStreamCaptureStatusInvalidated;
  return note(cudaErrorStreamCaptureUnsupported);
}

}  // namespace slipway::emulation

using namespace slipway::emulation;

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  if (handle == nullptr) return note(cudaErrorStreamCaptureUnsupported);
  const std::shared_ptr<Stream> stream = find_stream(handle);
  if (stream == nullptr) return note(cudaErrorInvalidResourceHandle);
  // Two captures of one thread are legal on a device; nobody needs them.
  if (strict_capture != nullptr) return note(cudaErrorNotSupported);
  const std::scoped_lock lock(stream_mutex);
  if (stream->status != cudaStreamCaptureStatusNone) return note(cudaErrorInvalidValue);
  stream->status = cudaStreamCaptureStatusActive;
  stream->mode = mode;
  stream->recorded = {};
  if (mode != cudaStreamCaptureModeRelaxed) strict_capture = handle;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  *graph = nullptr;
  const std::shared_ptr<Stream> stream = find_stream(handle);
  if (stream == nullptr) return note(cudaErrorInvalidResourceHandle);
  const std::scoped_lock lock(stream_mutex);
  if (stream->status == cudaStreamCaptureStatusNone) return note(cudaErrorStreamCaptureUnmatched);
  if (stream->mode != cudaStreamCaptureModeRelaxed) {
    if (strict_capture != handle) return note(cudaErrorStreamCaptureWrongThread);
    strict_capture = nullptr;
  }
  const auto status = std::exchange(stream->status, cudaStreamCaptureStatusNone);
  if (status == cudaStreamCaptureStatusInvalidated) return note(cudaErrorStreamCaptureInvalidated);
  *graph = new Graph(std::exchange(stream->recorded, {}));
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  const std::shared_ptr<Stream> stream = find_stream(handle);
  if (stream == nullptr) return note(cudaErrorInvalidResourceHandle);
  const std::scoped_lock lock(stream_mutex);
  *status = stream->status;
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
  // The graph may be destroyed while it is late.
  for (const Work& work : executable->work) {
    if (const cudaError_t error = enqueue(stream, work); error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  if (graph == nullptr) return note(cudaErrorInvalidValue);
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  if (executable == nullptr) return note(cudaErrorInvalidValue);
  delete executable;
  return cudaSuccess;
}
