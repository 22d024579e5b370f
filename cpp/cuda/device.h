// CUDA devices as the engine sees them: found through the plugin, with memory, streams and graphs that free themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cuda/plugin.h"

namespace slipway {

using CudaKernel = void (*)(const OpCall&) noexcept;

class CudaDevice;

/// Memory of a device, freed at the end of its life.
class DeviceMemory final {
 public:
  DeviceMemory() noexcept = default;
  DeviceMemory(std::shared_ptr<CudaDevice> device, int64_t bytes);
  DeviceMemory(DeviceMemory&& other) noexcept;
  DeviceMemory& operator=(DeviceMemory&& other) noexcept;
  ~DeviceMemory();

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] int64_t bytes() const noexcept { return bytes_; }
  /// Its address, for kernels.
  template <typename T>
  [[nodiscard]] const T* as() const noexcept {
    return reinterpret_cast<const T*>(data_);
  }

 private:
  std::shared_ptr<CudaDevice> device_;
  std::byte* data_ = nullptr;
  int64_t bytes_ = 0;
};

/// Host memory that the device reaches at the same address.
class PinnedMemory final {
 public:
  PinnedMemory() noexcept = default;
  PinnedMemory(std::shared_ptr<CudaDevice> device, int64_t bytes);
  PinnedMemory(PinnedMemory&& other) noexcept;
  PinnedMemory& operator=(PinnedMemory&& other) noexcept;
  ~PinnedMemory();

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] int64_t bytes() const noexcept { return bytes_; }

 private:
  std::shared_ptr<CudaDevice> device_;
  std::byte* data_ = nullptr;
  int64_t bytes_ = 0;
};

/// One device. Every function may be called from any thread, makes the device the calling thread's, and throws
/// Error(kLimit) where memory is short, Error(kFault) where the device fails otherwise.
class CudaDevice final : public std::enable_shared_from_this<CudaDevice> {
 public:
  /// Throws Error(kUnavailable) with the reason where there is no such device.
  [[nodiscard]] static std::shared_ptr<CudaDevice> open(int number);

  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] std::string name() const { return info_.name; }
  [[nodiscard]] int multiprocessors() const noexcept { return info_.multiprocessors; }
  /// Shared memory that a block may ask for.
  [[nodiscard]] int64_t shared_bytes() const noexcept { return info_.shared_bytes; }
  /// 90 for compute capability 9.0.
  [[nodiscard]] int capability() const noexcept { return 10 * info_.major + info_.minor; }
  [[nodiscard]] bool has_clusters() const noexcept { return info_.major >= 9; }
  /// TF32 on tensor cores, and asynchronous copies: PTX ISA, mma and cp.async.
  [[nodiscard]] bool has_tf32() const noexcept { return info_.major >= 8; }
  /// Whether products on tensor cores round to TF32: the session's precision is tf32.
  [[nodiscard]] bool rounds_products() const noexcept { return rounds_products_; }
  void round_products() noexcept { rounds_products_ = true; }

  /// The kernel of the operator with this id, or null.
  [[nodiscard]] CudaKernel find_kernel(std::string_view id) const;

  void use() const;
  void copy(void* to, const void* from, int64_t bytes, void* stream) const;
  void synchronize(void* stream) const;
  /// Starts to record what this thread gives to the stream.
  void begin_capture(void* stream) const;
  /// The recorded work; null where the device cannot record it.
  [[nodiscard]] void* end_capture(void* stream) const;
  void launch_graph(void* graph, void* stream) const;
  /// Fresh memory with a copy of host memory, there when the function returns.
  [[nodiscard]] std::shared_ptr<const DeviceMemory> upload(const void* from, int64_t bytes);
  [[nodiscard]] const CudaPlugin& plugin() const noexcept { return *plugin_; }

  /// Throws where `error` is one; `doing` completes "... while doing".
  void check(int error, std::string_view doing) const;

 private:
  CudaDevice(const CudaPlugin* plugin, int number, const CudaDeviceInfo& info) noexcept
      : plugin_(plugin), number_(number), info_(info) {}

  const CudaPlugin* plugin_;
  int number_;
  CudaDeviceInfo info_;
  bool rounds_products_ = false;
};

/// A stream of a device.
class CudaStream final {
 public:
  explicit CudaStream(std::shared_ptr<CudaDevice> device);
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;
  ~CudaStream();

  [[nodiscard]] void* get() const noexcept { return stream_; }

 private:
  std::shared_ptr<CudaDevice> device_;
  void* stream_ = nullptr;
};

/// A point of a stream.
class CudaEvent final {
 public:
  explicit CudaEvent(std::shared_ptr<CudaDevice> device);
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;
  ~CudaEvent();

  /// Becomes the point behind all that the stream was given so far.
  void record(void* stream) const;
  /// Lets later work of the stream begin only behind the point.
  void make_wait(void* stream) const;

 private:
  std::shared_ptr<CudaDevice> device_;
  void* event_ = nullptr;
};

/// Recorded work of a device.
class CudaGraph final {
 public:
  CudaGraph() noexcept = default;
  CudaGraph(std::shared_ptr<CudaDevice> device, void* graph) noexcept : device_(std::move(device)), graph_(graph) {}
  CudaGraph(CudaGraph&& other) noexcept;
  CudaGraph& operator=(CudaGraph&& other) noexcept;
  ~CudaGraph();

  [[nodiscard]] explicit operator bool() const noexcept { return graph_ != nullptr; }
  void launch(void* stream) const { device_->launch_graph(graph_, stream); }

 private:
  std::shared_ptr<CudaDevice> device_;
  void* graph_ = nullptr;
};

/// Number of CUDA devices; 0 with the reason.
[[nodiscard]] int count_cuda_devices(std::string* why);

/// -1 where `device` is "cpu", its number where it is "cuda" or "cuda:N". Throws Error(kUsage) for anything else.
[[nodiscard]] int cuda_number(std::string_view device);

}  // namespace slipway
