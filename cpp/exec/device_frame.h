// What a frame has on a CUDA device: memory, the constants' copies, and a recording of its kernels.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "ops/device_call.h"
#include "plan/plan.h"

namespace slipway {

struct Frame;

/// Copies of constants on one device, shared by all plans that need them.
class DeviceConstants final {
 public:
  explicit DeviceConstants(std::shared_ptr<CudaDevice> device) : device_(std::move(device)) {}

  [[nodiscard]] std::shared_ptr<const DeviceMemory> copy_of(const std::shared_ptr<const Tensor>& constant);

 private:
  std::shared_ptr<CudaDevice> device_;
  std::mutex mutex_;
  std::map<const Tensor*, std::weak_ptr<const DeviceMemory>> copies_;
};

/// True for cudaStreamPerThread.
[[nodiscard]] inline bool has_one_per_thread(void* stream) noexcept { return reinterpret_cast<uintptr_t>(stream) == 2; }

class DeviceFrame final {
 public:
  DeviceFrame(const Plan& plan, std::shared_ptr<CudaDevice> device);
  DeviceFrame(const DeviceFrame&) = delete;
  DeviceFrame& operator=(const DeviceFrame&) = delete;
  ~DeviceFrame();

  [[nodiscard]] std::byte* arena() const noexcept { return arena_.data(); }

  /// Whoever takes the frame enters with the stream of its runs, and leaves before the frame is another's: work on two
  /// streams is kept in order. One handle (has_one_per_thread) is another stream in each thread.
  void enter(void* stream) const;
  void leave(void* stream);
  /// Gives all kernels to the stream, in order. Kernels with the same arguments as twice before are launched as one
  /// recorded graph. Throws Error.
  void launch(const Plan& plan, const Frame& frame, void* stream);
  /// Gives all kernels to the stream one by one, for somebody who records it. Throws Error.
  void call_kernels(const Plan& plan, const Frame& frame, void* stream) const;
  /// Waits, where a run may meet a forbidden value or this is the first: throws Error(kFault) where it did.
  void check_values(void* stream);
  /// Throws Error(kFault) where a run that is done met a forbidden value.
  void raise_reported() const { cell_.check(); }
  /// Copies what lies on the device at `address` to the host, when all kernels are done; valid until the next call
  /// with this slot.
  [[nodiscard]] const void* read(std::size_t slot, const void* address, int64_t bytes, void* stream);

 private:
  void record(const Plan& plan, const Frame& frame);

  std::shared_ptr<CudaDevice> device_;
  DeviceMemory arena_;
  DeviceMemory scratch_;
  DeviceFaultCell cell_;
  CudaEvent done_;
  void* left_ = nullptr;
  bool has_left_ = false;
  bool has_to_check_ = true;
  const bool may_meet_forbidden_values_;
  std::vector<const void*> addresses_;  // of the last run, or of graph_
  int repeats_ = 0;                     // runs before with these addresses
  CudaGraph graph_;
  std::unique_ptr<CudaStream> recording_;
  std::vector<Buffer> read_;
};

}  // namespace slipway
