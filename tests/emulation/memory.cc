// Memory as the runtime's functions give, copy and free it.
#include <cstring>
#include <string>
#include <vector>

#include "allocations.h"
#include "runtime.h"

namespace slipway::emulation {

namespace {

cudaError_t allocate_now(void** memory, std::size_t bytes, cudaMemoryType type) {
  *memory = bytes == 0 ? nullptr : allocate(bytes, type);
  return bytes == 0 || *memory != nullptr ? cudaSuccess : note(cudaErrorMemoryAllocation);
}

cudaError_t release_now(void* memory, cudaMemoryType type) {
  if (spoils_capture()) return note(cudaErrorStreamCaptureUnsupported);
  finish_all_work();
  const std::string text = memory == nullptr ? std::string() : release(memory, type);
  return text.empty() ? cudaSuccess : note(cudaErrorInvalidValue, text);
}

// True for bytes that begin in an allocation and end outside of it.
bool leaves_memory(const void* memory, std::size_t bytes) {
  return find_memory(memory, 0) != cudaMemoryTypeUnregistered &&
         find_memory(memory, bytes) == cudaMemoryTypeUnregistered;
}

std::string copy(void* to, const void* from, std::size_t bytes) {
  if (leaves_memory(to, bytes)) return "a copy writes past the end of its memory";
  if (leaves_memory(from, bytes)) return "a copy reads past the end of its memory";
  std::memcpy(to, from, bytes);
  return {};
}

}  // namespace

}  // namespace slipway::emulation

using namespace slipway::emulation;

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  if (spoils_capture()) return note(cudaErrorStreamCaptureUnsupported);
  return allocate_now(memory, bytes, cudaMemoryTypeDevice);
}

cudaError_t cudaFree(void* memory) { return release_now(memory, cudaMemoryTypeDevice); }

cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned flags) {
  if (flags > (cudaHostAllocPortable | cudaHostAllocMapped)) return note(cudaErrorNotSupported);
  if (spoils_capture()) return note(cudaErrorStreamCaptureUnsupported);
  return allocate_now(memory, bytes, cudaMemoryTypeHost);
}

cudaError_t cudaFreeHost(void* memory) { return release_now(memory, cudaMemoryTypeHost); }

cudaError_t cudaMallocAsync(void** memory, std::size_t bytes, cudaStream_t stream) {
  if (const cudaError_t error = refuse_capture(stream); error != cudaSuccess) return error;
  return allocate_now(memory, bytes, cudaMemoryTypeDevice);
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  if (const cudaError_t error = refuse_capture(stream); error != cudaSuccess) return error;
  if (memory == nullptr) return cudaSuccess;
  return enqueue(stream, [memory] { return release(memory, cudaMemoryTypeDevice); });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault) return note(cudaErrorInvalidValue);
  if (bytes == 0) return cudaSuccess;
  const auto is_device = [](const void* memory) { return find_memory(memory, 0) == cudaMemoryTypeDevice; };
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (kind != cudaMemcpyDefault && (is_device(to) != to_device || is_device(from) != from_device)) {
    return note(cudaErrorInvalidValue);
  }
  const auto is_pageable = [](const void* memory) { return find_memory(memory, 0) == cudaMemoryTypeUnregistered; };
  if (is_capturing(stream)) return enqueue(stream, [=] { return copy(to, from, bytes); });
  // Pageable memory is read before the call returns, and written too. CUDA Runtime API, "API synchronization behavior".
  if (is_pageable(to)) {
    const cudaError_t error = enqueue(stream, [=] { return copy(to, from, bytes); });
    return error != cudaSuccess ? error : cudaStreamSynchronize(stream);
  }
  if (!is_pageable(from)) return enqueue(stream, [=] { return copy(to, from, bytes); });
  const auto* first = static_cast<const unsigned char*>(from);
  return enqueue(stream, [to, staged = std::vector<unsigned char>(first, first + bytes)] {
    return copy(to, staged.data(), staged.size());
  });
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  if (spoils_capture()) return note(cudaErrorStreamCaptureUnsupported);
  const cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind, nullptr);
  return error != cudaSuccess ? error : cudaStreamSynchronize(nullptr);
}

cudaError_t cudaMemsetAsync(void* memory, int byte, std::size_t bytes, cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  return enqueue(stream, [memory, byte, bytes]() -> std::string {
    if (find_memory(memory, bytes) == cudaMemoryTypeUnregistered) return "a fill writes to no memory of the device";
    std::memset(memory, byte, bytes);
    return {};
  });
}

cudaError_t cudaMemset(void* memory, int byte, std::size_t bytes) {
  if (spoils_capture()) return note(cudaErrorStreamCaptureUnsupported);
  const cudaError_t error = cudaMemsetAsync(memory, byte, bytes, nullptr);
  return error != cudaSuccess ? error : cudaStreamSynchronize(nullptr);
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* memory) {
  void* address = const_cast<void*>(memory);
  const cudaMemoryType type = find_memory(memory, 0);
  *attributes = {type, type == cudaMemoryTypeUnregistered ? -2 : 0,
                 type == cudaMemoryTypeUnregistered ? nullptr : address,
                 type == cudaMemoryTypeDevice ? nullptr : address};
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  cudaDeviceProp properties;
  const cudaError_t error = cudaGetDeviceProperties(&properties, 0);
  *free = *total = properties.totalGlobalMem;
  return error;
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
  if (device != 0) return note(cudaErrorInvalidDevice);
  *pool = nullptr;
  return cudaSuccess;
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr attribute, void*) {
  return attribute == cudaMemPoolAttrReleaseThreshold ? cudaSuccess : note(cudaErrorNotSupported);
}
