// What was allocated, on the device and as pinned memory of the host, known by address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "cuda_host.h"

namespace slipway::emulation {

/// Null where there is no memory left. Not for 0 bytes.
[[nodiscard]] void* allocate(std::size_t bytes, cudaMemoryType type);
/// "" or what is wrong with freeing this.
[[nodiscard]] std::string release(void* memory, cudaMemoryType type);
/// "" or what was written around an allocation: told once.
[[nodiscard]] std::string check_memory();
/// Of the allocation that holds all these bytes.
[[nodiscard]] cudaMemoryType find_memory(const void* memory, std::size_t bytes);
/// Where an address that must not be touched lies.
void describe_address(std::uintptr_t address, char* text, std::size_t size);
/// True for an address in or beside memory of the device.
[[nodiscard]] bool is_of_device(std::uintptr_t address);

/// True for an address in or beside any allocation.
[[nodiscard]] bool is_known(std::uintptr_t address);

/// While one lives, memory of the device may be touched: kernels and copies run. Else the program faults, as it does
/// with a device.
class DeviceAccess final {
 public:
  DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
  ~DeviceAccess();
};

}  // namespace slipway::emulation
