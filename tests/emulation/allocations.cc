#include "allocations.h"

#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "pages.h"
#include "runtime.h"

namespace slipway::emulation {

namespace {

struct Allocation {
  cudaMemoryType type;
  std::unique_ptr<PagedBytes> memory;
};

std::mutex mutex;

// Never destroyed: sessions may outlive it.
std::map<std::uintptr_t, Allocation>& allocations() {
  static auto* all = new std::map<std::uintptr_t, Allocation>;
  return *all;
}

std::size_t device_bytes = 0;
int accesses = 0;

void allow_all(bool is_allowed) {
  for (const auto& [address, allocation] : allocations()) {
    if (allocation.type == cudaMemoryTypeDevice) allocation.memory->allow(is_allowed);
  }
}

std::string describe(const Allocation& allocation) {
  return "memory was written around an allocation of " + std::to_string(allocation.memory->bytes()) + " bytes";
}

std::uintptr_t address_of(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory); }

// The last allocation that begins at or before the address, or the one behind it if that is near.
const Allocation* find_near(std::uintptr_t address) {
  const auto after = allocations().upper_bound(address);
  if (after != allocations().end() && after->second.memory->is_near(address)) return &after->second;
  if (after == allocations().begin() || !std::prev(after)->second.memory->is_near(address)) return nullptr;
  return &std::prev(after)->second;
}

}  // namespace

void* allocate(std::size_t bytes, cudaMemoryType type) {
  const std::scoped_lock lock(mutex);
  const bool is_device = type == cudaMemoryTypeDevice;
  if (is_device && bytes > kGlobalBytes - device_bytes) return nullptr;
  try {
    auto made = std::make_unique<PagedBytes>(bytes);
    if (is_device) {
      made->allow(accesses > 0);
      device_bytes += bytes;
    }
    void* memory = made->data();
    allocations().emplace(address_of(memory), Allocation{type, std::move(made)});
    return memory;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

std::string release(void* memory, cudaMemoryType type) {
  const std::scoped_lock lock(mutex);
  const auto found = allocations().find(address_of(memory));
  if (found == allocations().end() || found->second.type != type) return "an address was freed that is not allocated";
  found->second.memory->allow(true);
  const std::string text = found->second.memory->is_whole() ? std::string() : describe(found->second);
  if (type == cudaMemoryTypeDevice) device_bytes -= found->second.memory->bytes();
  allocations().erase(found);
  return text;
}

std::string check_memory() {
  const std::scoped_lock lock(mutex);
  for (const auto& [address, allocation] : allocations()) {
    if (allocation.memory->is_whole()) continue;
    allocation.memory->mend();
    return describe(allocation);
  }
  return {};
}

cudaMemoryType find_memory(const void* memory, std::size_t bytes) {
  const std::scoped_lock lock(mutex);
  const Allocation* found = find_near(address_of(memory));
  if (found == nullptr) return cudaMemoryTypeUnregistered;
  const std::size_t offset = address_of(memory) - address_of(found->memory->data());
  const bool is_inside = offset < found->memory->bytes() && bytes <= found->memory->bytes() - offset;
  return is_inside ? found->type : cudaMemoryTypeUnregistered;
}

void describe_address(std::uintptr_t address, char* text, std::size_t size) {
  const std::scoped_lock lock(mutex);
  const Allocation* found = find_near(address);
  if (found == nullptr) {
    std::snprintf(text, size, "address %#zx, where no memory is", static_cast<std::size_t>(address));
    return;
  }
  const auto offset = static_cast<long long>(address - address_of(found->memory->data()));
  std::snprintf(text, size, "byte %lld of an allocation of %zu bytes", offset, found->memory->bytes());
}

bool is_of_device(std::uintptr_t address) {
  const std::scoped_lock lock(mutex);
  const Allocation* found = find_near(address);
  return found != nullptr && found->type == cudaMemoryTypeDevice;
}

bool is_known(std::uintptr_t address) {
  const std::scoped_lock lock(mutex);
  return find_near(address) != nullptr;
}

DeviceAccess::DeviceAccess() {
  const std::scoped_lock lock(mutex);
  if (accesses++ == 0) allow_all(true);
}

DeviceAccess::~DeviceAccess() {
  const std::scoped_lock lock(mutex);
  if (--accesses == 0) allow_all(false);
}

}  // namespace slipway::emulation
