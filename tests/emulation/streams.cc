// Streams and events.
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "allocations.h"
#include "stream.h"

namespace slipway::emulation {

std::mutex stream_mutex;

struct Event {
  unsigned flags = 0;
  std::shared_ptr<Point> point;  ///< null before it is recorded
};

namespace {

// A host that never waits would fill its memory.
constexpr std::size_t kMostQueued = 4096;

std::condition_variable item_done;

using Streams = std::map<Stream*, std::shared_ptr<Stream>>;

// The legacy stream is that of the null handle. Never destroyed: sessions may outlive it.
Streams& streams() {
  static auto* all = new Streams{{nullptr, std::make_shared<Stream>()}};
  return *all;
}

std::vector<std::shared_ptr<Stream>> streams_where(bool (*is_wanted)(const Stream&)) {
  const std::scoped_lock lock(stream_mutex);
  std::vector<std::shared_ptr<Stream>> found;
  for (const auto& [handle, stream] : streams()) {
    if (is_wanted(*stream)) found.push_back(stream);
  }
  return found;
}

// Does the work before `number`; gives the stream's error.
std::string do_work(Stream& stream, uint64_t number) {
  std::unique_lock lock(stream_mutex);
  std::optional<DeviceAccess> access;
  while (stream.done < number) {
    if (stream.is_running) {
      item_done.wait(lock);
      continue;
    }
    const Work work = std::move(stream.queue.front());
    stream.queue.pop_front();
    stream.is_running = true;
    const bool is_left_out = !stream.error.empty();
    lock.unlock();
    if (!access) access.emplace();
    std::string error = is_left_out ? std::string() : work();
    lock.lock();
    if (!error.empty()) stream.error = std::move(error);
    stream.is_running = false;
    ++stream.done;
    item_done.notify_all();
  }
  return stream.error;
}

uint64_t count_given(const Stream& stream) { return stream.done + (stream.is_running ? 1 : 0) + stream.queue.size(); }

}  // namespace

std::shared_ptr<Stream> find_stream(Stream* handle) {
  const std::scoped_lock lock(stream_mutex);
  const auto found = streams().find(handle);
  return found == streams().end() ? nullptr : found->second;
}

Point end_of(const std::shared_ptr<Stream>& stream) {
  const std::scoped_lock lock(stream_mutex);
  return {stream, count_given(*stream), {}};
}

void finish_all_work() {
  for (const auto& stream : streams_where([](const Stream&) { return true; })) {
    (void)do_work(*stream, end_of(stream).number);
  }
}

cudaError_t run_until(const Point& point) {
  (void)do_work(*point.stream, point.number);
  std::string error;
  {
    const std::scoped_lock lock(stream_mutex);
    error = std::exchange(point.stream->error, {});
  }
  return error.empty() ? cudaSuccess : note(cudaErrorLaunchFailure, error);
}

cudaError_t enqueue(Stream* handle, Work work) {
  const std::shared_ptr<Stream> stream = find_stream(handle);
  if (stream == nullptr) return note(cudaErrorInvalidResourceHandle);
  if (handle == nullptr) {
    if (spoils_capture()) return note(cudaErrorStreamCaptureImplicit);
    // The legacy stream waits for all streams that were not made non-blocking.
    for (const auto& other : streams_where([](const Stream& other) { return other.waits_for_legacy; })) {
      (void)do_work(*other, end_of(other).number);
    }
  }
  bool is_full = false;
  {
    const std::scoped_lock lock(stream_mutex);
    if (stream->status == cudaStreamCaptureStatusInvalidated) return note(cudaErrorStreamCaptureInvalidated);
    const bool is_recorded = stream->status == cudaStreamCaptureStatusActive;
    if (is_recorded) {
      stream->recorded.work.push_back(std::move(work));
      return cudaSuccess;
    }
    stream->queue.push_back(std::move(work));
    is_full = stream->queue.size() > kMostQueued;
  }
  // ... and they for it: it is never late.
  if (handle == nullptr || is_full) (void)do_work(*stream, end_of(stream).number);
  return cudaSuccess;
}

}  // namespace slipway::emulation

using namespace slipway::emulation;

// ---- streams ----
cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, cudaStreamDefault); }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  if (flags > cudaStreamNonBlocking) return note(cudaErrorInvalidValue);
  auto made = std::make_shared<Stream>();
  made->waits_for_legacy = flags == cudaStreamDefault;
  *stream = made.get();
  const std::scoped_lock lock(stream_mutex);
  streams().emplace(made.get(), made);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  const std::shared_ptr<Stream> stream = find_stream(handle);
  if (handle == nullptr || stream == nullptr) return note(cudaErrorInvalidResourceHandle);
  if (const cudaError_t error = refuse_capture(handle); error != cudaSuccess) return error;
  const cudaError_t error = run_until(end_of(stream));
  const std::scoped_lock lock(stream_mutex);
  streams().erase(handle);
  return error;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  const std::shared_ptr<Stream> stream = find_stream(handle);
  if (stream == nullptr) return note(cudaErrorInvalidResourceHandle);
  if (const cudaError_t error = refuse_capture(handle); error != cudaSuccess) return error;
  return run_until(end_of(stream));
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  const std::shared_ptr<Stream> stream = find_stream(handle);
  if (stream == nullptr) return note(cudaErrorInvalidResourceHandle);
  const bool was_busy = [&] {
    const std::scoped_lock lock(stream_mutex);
    return stream->done < count_given(*stream);
  }();
  const cudaError_t error = cudaStreamSynchronize(handle);
  return error == cudaSuccess && was_busy ? cudaErrorNotReady : error;
}

cudaError_t cudaDeviceSynchronize() {
  if (spoils_capture()) return note(cudaErrorStreamCaptureUnsupported);
  cudaError_t first = cudaSuccess;
  for (const auto& stream : streams_where([](const Stream&) { return true; })) {
    const cudaError_t error = run_until(end_of(stream));
    if (first == cudaSuccess) first = error;
  }
  return first;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned flags) {
  const std::shared_ptr<Stream> stream = find_stream(handle);
  if (event == nullptr || stream == nullptr) return note(cudaErrorInvalidResourceHandle);
  if (flags != 0) return note(cudaErrorInvalidValue);
  if (const cudaError_t error = refuse_capture(handle); error != cudaSuccess) return error;
  const std::shared_ptr<Point> point = [&] {
    const std::scoped_lock lock(stream_mutex);
    return event->point;
  }();
  if (point == nullptr) return cudaSuccess;
  return enqueue(handle, [point] { return do_work(*point->stream, point->number); });
}

// ---- events ----
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  if (flags > (cudaEventBlockingSync | cudaEventDisableTiming)) return note(cudaErrorInvalidValue);
  *event = new Event{flags, nullptr};
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (event == nullptr) return note(cudaErrorInvalidResourceHandle);
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  const std::shared_ptr<Stream> stream = find_stream(handle);
  if (event == nullptr || stream == nullptr) return note(cudaErrorInvalidResourceHandle);
  if (const cudaError_t error = refuse_capture(handle); error != cudaSuccess) return error;
  auto point = std::make_shared<Point>();
  const cudaError_t error = enqueue(handle, [point] {
    point->time = std::chrono::steady_clock::now();
    return std::string();
  });
  if (error != cudaSuccess) return error;
  const Point end = end_of(stream);
  const std::scoped_lock lock(stream_mutex);
  point->stream = end.stream;
  point->number = end.number;
  event->point = std::move(point);
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event == nullptr) return note(cudaErrorInvalidResourceHandle);
  if (spoils_capture()) return note(cudaErrorStreamCaptureUnsupported);
  const std::shared_ptr<Point> point = [&] {
    const std::scoped_lock lock(stream_mutex);
    return event->point;
  }();
  return point == nullptr ? cudaSuccess : run_until(*point);
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (event == nullptr) return note(cudaErrorInvalidResourceHandle);
  const bool was_done = [&] {
    const std::scoped_lock lock(stream_mutex);
    return event->point == nullptr || event->point->stream->done >= event->point->number;
  }();
  const cudaError_t error = cudaEventSynchronize(event);
  return error == cudaSuccess && !was_done ? cudaErrorNotReady : error;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t first, cudaEvent_t last) {
  if (first == nullptr || last == nullptr) return note(cudaErrorInvalidResourceHandle);
  const std::scoped_lock lock(stream_mutex);
  for (const Event* event : {first, last}) {
    if (event->point == nullptr || (event->flags & cudaEventDisableTiming) != 0) {
      return note(cudaErrorInvalidResourceHandle);
    }
    if (event->point->stream->done < event->point->number) return note(cudaErrorNotReady);
  }
  *milliseconds = std::chrono::duration<float, std::milli>(last->point->time - first->point->time).count();
  return cudaSuccess;
}
