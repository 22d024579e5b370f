// How the engine calls CUDA kernels, and learns what they report.
#pragma once

#include <new>

#include "ops/fault.h"
#include "ops/op.h"

namespace slipway {

/// Where the kernels of a run report forbidden values: in memory that host and device share.
class DeviceFaultCell final {
 public:
  explicit DeviceFaultCell(std::shared_ptr<CudaDevice> device) : memory_(std::move(device), sizeof(DeviceFault)) {
    new (memory_.data()) DeviceFault();
  }

  [[nodiscard]] DeviceFault* get() const noexcept { return reinterpret_cast<DeviceFault*>(memory_.data()); }

  /// After the device is done: throws Error(kFault) where a value was forbidden, and forgets it.
  void check() const {
    if (get()->kind == 0) return;
    const DeviceFault found = *get();
    *get() = DeviceFault();
    constexpr const char* kWhat[] = {"", "index", "an entry of sequence_lens", "integer divisor (any but 0)"};
    throw_if({kWhat[found.kind], found.got, found.low, found.high, false});
  }

 private:
  PinnedMemory memory_;
};

/// Gives the kernel's work to the stream. Throws Error(kFault) where the device refuses it.
inline void call_on_device(Kernel kernel, OpCall call, const CudaDevice& device, const DeviceFaultCell& cell,
                           void* stream) {
  RunFault fault;
  call.fault = &fault;
  call.stream = stream;
  call.device_fault = cell.get();
  call.starts_early = device.has_clusters();  // both came with sm_90
  kernel(call);
  throw_if(fault);
}

}  // namespace slipway
