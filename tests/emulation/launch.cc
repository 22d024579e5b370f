// What a device checks before it runs a kernel.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "allocations.h"
#include "cuda_launch.h"
#include "runtime.h"
#include "scheduler.h"

namespace slipway::emulation {

namespace {

std::mutex mutex;

/// Shared memory that kernels were allowed by cudaFuncSetAttribute().
std::map<const void*, std::size_t>& allowed_bytes() {
  static auto* all = new std::map<const void*, std::size_t>;
  return *all;
}

std::size_t allowed_for(const void* kernel) {
  const std::scoped_lock lock(mutex);
  const auto found = allowed_bytes().find(kernel);
  return found == allowed_bytes().end() ? kFreeSharedBytes : found->second;
}

// Blocks of the grid that fit on the device at once.
std::size_t resident_blocks(const Grid& grid) {
  const std::size_t threads = grid.threads.x * grid.threads.y * grid.threads.z;
  std::size_t most = kBlocksPerMultiprocessor;
  const auto limit = [&most](std::size_t other) { most = other < most ? other : most; };
  limit(kThreadsPerMultiprocessor / ((threads + 31) / 32 * 32));
  limit(kSharedBytesPerMultiprocessor / (grid.shared_bytes + kReservedSharedBytes));
  return most * kMultiprocessors;
}

cudaError_t refuse(cudaError_t error, const Grid& grid, const std::string& text) {
  return note(error, "kernel " + kernel_name(grid.kernel) + ": " + text);
}

cudaError_t check(const Grid& grid) {
  const auto [x, y, z] = grid.threads;
  if (x == 0 || y == 0 || z == 0 || x > kMostThreads || y > kMostThreads || z > 64 ||
      uint64_t{x} * y * z > kMostThreads) {
    return refuse(cudaErrorInvalidConfiguration, grid, "a block has 1 to 1024 threads, 64 at most along z");
  }
  if (grid.blocks.x == 0 || grid.blocks.y == 0 || grid.blocks.z == 0 || grid.blocks.x > 0x7fffffffu ||
      grid.blocks.y > 65535 || grid.blocks.z > 65535) {
    return refuse(cudaErrorInvalidConfiguration, grid, "a grid has 1 to 2147483647, 65535 and 65535 blocks");
  }
  if (grid.shared_bytes > allowed_for(grid.kernel)) {
    return refuse(cudaErrorInvalidValue, grid,
                  std::to_string(grid.shared_bytes) + " bytes of shared memory, allowed are " +
                      std::to_string(allowed_for(grid.kernel)) + " (cudaFuncSetAttribute() allows more)");
  }
  if (grid.cluster == 0 || grid.cluster > kMostBlocksOfCluster || grid.blocks.x % grid.cluster != 0) {
    return refuse(cudaErrorInvalidClusterSize, grid, "a cluster has 1 to 8 blocks and divides the grid");
  }
  const std::size_t blocks = std::size_t{grid.blocks.x} * grid.blocks.y * grid.blocks.z;
  if (grid.is_cooperative && blocks > resident_blocks(grid)) {
    return refuse(cudaErrorCooperativeLaunchTooLarge, grid,
                  "a cooperative grid of " + std::to_string(blocks) + " blocks, at most " +
                      std::to_string(resident_blocks(grid)) + " run at once");
  }
  return cudaSuccess;
}

cudaError_t read_attribute(Grid& grid, const cudaLaunchAttribute& attribute) {
  switch (attribute.id) {
    case cudaLaunchAttributeCooperative:
      grid.is_cooperative = attribute.val.cooperative != 0;
      return cudaSuccess;
    case cudaLaunchAttributeClusterDimension:
      grid.cluster = attribute.val.clusterDim.x;
      if (attribute.val.clusterDim.y == 1 && attribute.val.clusterDim.z == 1) return cudaSuccess;
      return refuse(cudaErrorNotSupported, grid, "clusters along y or z are not covered");
    // Lets a kernel begin early; one that waits for the earlier one's results may as well begin late.
    case cudaLaunchAttributeProgrammaticStreamSerialization:
      return cudaSuccess;
  }
  return refuse(cudaErrorNotSupported, grid, "a launch attribute that is not covered");
}

}  // namespace

int64_t find_host_word(const void* argument, std::size_t bytes) {
  // Below lie numbers, and programs that are not position-independent.
  constexpr std::uintptr_t kLowest = std::uintptr_t{1} << 32;
  constexpr std::uintptr_t kHighest = std::uintptr_t{1} << 47;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  std::uintptr_t word = 0;
  for (std::size_t at = 0; at + sizeof word <= bytes; at += sizeof word) {
    std::memcpy(&word, static_cast<const unsigned char*>(argument) + at, sizeof word);
    if (word < kLowest || word >= kHighest || is_known(word)) continue;
    unsigned char is_resident = 0;
    const bool is_mapped = ::mincore(reinterpret_cast<void*>(word / page * page), 1, &is_resident) == 0;
    if (is_mapped) return static_cast<int64_t>(at);
  }
  return -1;
}

cudaError_t launch(const cudaLaunchConfig_t& config, std::shared_ptr<const KernelCall> call) {
  Grid grid;
  grid.kernel = call->address();
  grid.blocks = config.gridDim;
  grid.threads = config.blockDim;
  grid.shared_bytes = config.dynamicSmemBytes;
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    if (const cudaError_t error = read_attribute(grid, config.attrs[i]); error != cudaSuccess) return error;
  }
  if (const cudaError_t error = check(grid); error != cudaSuccess) return error;
  // A device finds out when it follows the address, and then cannot say whose it was.
  if (const std::string text = call->find_host_address(); !text.empty()) {
    return refuse(cudaErrorIllegalAddress, grid, text);
  }
  return enqueue(config.stream, [grid, call = std::move(call)]() mutable {
    grid.run = [](const void* arguments) { static_cast<const KernelCall*>(arguments)->run(); };
    grid.arguments = call.get();
    std::string text = run_grid(grid);
    if (!text.empty()) return text;
    text = check_memory();
    return text.empty() ? text : "kernel " + kernel_name(grid.kernel) + ": " + text;
  });
}

}  // namespace slipway::emulation

using namespace slipway::emulation;

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  if (kernel == nullptr || value < 0) return note(cudaErrorInvalidValue);
  if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout) return cudaSuccess;
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return note(cudaErrorNotSupported);
  const auto bytes = static_cast<std::size_t>(value);
  if (bytes > kMostSharedBytes) return note(cudaErrorInvalidValue);
  const std::scoped_lock lock(mutex);
  allowed_bytes()[kernel] = bytes > kFreeSharedBytes ? bytes : kFreeSharedBytes;
  return cudaSuccess;
}
