// The device that is pretended, and errors.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <string>

#include "runtime.h"

namespace slipway::emulation {

namespace {

constexpr int kVersion = 13000;

thread_local constinit cudaError_t last_error = cudaSuccess;
// The last error that had a text of its own, until the same error comes without one.
thread_local constinit cudaError_t told_error = cudaSuccess;
thread_local constinit const char* told_text = nullptr;

// Texts live as long as the program: whoever got one may keep it.
const char* kept(const std::string& text) {
  static std::mutex mutex;
  static auto* texts = new std::set<std::string>;
  const std::scoped_lock lock(mutex);
  return texts->insert(text).first->c_str();
}

struct Described {
  cudaError_t error;
  const char* name;
  const char* text;
};

#define SLIPWAY_ERROR(error, text) {error, #error, text}
constexpr Described kErrors[] = {
    SLIPWAY_ERROR(cudaSuccess, "no error"),
    SLIPWAY_ERROR(cudaErrorInvalidValue, "invalid argument"),
    SLIPWAY_ERROR(cudaErrorMemoryAllocation, "out of memory"),
    SLIPWAY_ERROR(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    SLIPWAY_ERROR(cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version"),
    SLIPWAY_ERROR(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    SLIPWAY_ERROR(cudaErrorInvalidDevice, "invalid device ordinal"),
    SLIPWAY_ERROR(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    SLIPWAY_ERROR(cudaErrorNotReady, "device not ready"),
    SLIPWAY_ERROR(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    SLIPWAY_ERROR(cudaErrorLaunchOutOfResources, "too many resources requested for launch"),
    SLIPWAY_ERROR(cudaErrorLaunchFailure, "unspecified launch failure"),
    SLIPWAY_ERROR(cudaErrorCooperativeLaunchTooLarge, "too many blocks in cooperative launch"),
    SLIPWAY_ERROR(cudaErrorNotSupported, "operation not supported"),
    SLIPWAY_ERROR(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"),
    SLIPWAY_ERROR(cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture"),
    SLIPWAY_ERROR(cudaErrorStreamCaptureUnmatched, "capture was not initiated in this stream"),
    SLIPWAY_ERROR(cudaErrorStreamCaptureUnjoined, "capturing stream has unjoined work"),
    SLIPWAY_ERROR(cudaErrorStreamCaptureImplicit, "operation would make the legacy stream depend on a capturing one"),
    SLIPWAY_ERROR(cudaErrorStreamCaptureWrongThread, "attempt to terminate a thread-local capture from another thread"),
    SLIPWAY_ERROR(cudaErrorInvalidClusterSize, "cluster misconfiguration")};
#undef SLIPWAY_ERROR

const Described* find(cudaError_t error) {
  for (const Described& entry : kErrors) {
    if (entry.error == error) return &entry;
  }
  return nullptr;
}

}  // namespace

int capability() {
  static const int pretended = [] {
    const char* text = std::getenv("SLIPWAY_EMULATED_CAPABILITY");
    return text == nullptr ? 90 : std::atoi(text);
  }();
  return pretended;
}

cudaError_t note(cudaError_t error) {
  if (error == cudaSuccess) return error;
  last_error = error;
  if (told_error == error) told_error = cudaSuccess;
  return error;
}

cudaError_t note(cudaError_t error, const std::string& text) {
  std::fprintf(stderr, "CUDA emulation: %s\n", text.c_str());
  last_error = error;
  told_error = error;
  told_text = kept(text);
  return error;
}

}  // namespace slipway::emulation

using namespace slipway::emulation;

const char* cudaGetErrorString(cudaError_t error) {
  if (error != cudaSuccess && error == told_error) return told_text;
  const Described* found = find(error);
  return found == nullptr ? "unrecognized error code" : found->text;
}

const char* cudaGetErrorName(cudaError_t error) {
  const Described* found = find(error);
  return found == nullptr ? "unrecognized error code" : found->name;
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError() { return last_error; }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) { return note(device == 0 ? cudaSuccess : cudaErrorInvalidDevice); }

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return note(cudaErrorInvalidDevice);
  *properties = {};
  std::strncpy(properties->name, "CPU emulation of compute capability 9.0", sizeof properties->name - 1);
  properties->totalGlobalMem = kGlobalBytes;
  properties->sharedMemPerBlock = kFreeSharedBytes;
  properties->sharedMemPerBlockOptin = capability() < 80 ? kOldSharedBytes : kMostSharedBytes;
  properties->sharedMemPerMultiprocessor = kSharedBytesPerMultiprocessor;
  properties->reservedSharedMemPerBlock = kReservedSharedBytes;
  properties->regsPerBlock = 65536;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = kMostThreads;
  properties->maxThreadsPerMultiProcessor = kThreadsPerMultiprocessor;
  properties->maxBlocksPerMultiProcessor = kBlocksPerMultiprocessor;
  const int block[] = {1024, 1024, 64};
  const int grid[] = {2147483647, 65535, 65535};
  std::memcpy(properties->maxThreadsDim, block, sizeof block);
  std::memcpy(properties->maxGridSize, grid, sizeof grid);
  properties->major = capability() / 10;
  properties->minor = capability() % 10;
  properties->multiProcessorCount = kMultiprocessors;
  properties->l2CacheSize = 50 << 20;
  properties->memoryBusWidth = 5120;
  properties->concurrentKernels = 1;
  properties->asyncEngineCount = 3;
  properties->unifiedAddressing = 1;
  properties->cooperativeLaunch = 1;
  properties->clusterLaunch = capability() >= 90 ? 1 : 0;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp properties;
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, device); error != cudaSuccess) return error;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = properties.maxThreadsPerBlock;
      break;
    case cudaDevAttrWarpSize:
      *value = properties.warpSize;
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = properties.multiProcessorCount;
      break;
    case cudaDevAttrL2CacheSize:
      *value = properties.l2CacheSize;
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = properties.maxThreadsPerMultiProcessor;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = properties.major;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = properties.minor;
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(properties.sharedMemPerMultiprocessor);
      break;
    case cudaDevAttrCooperativeLaunch:
      *value = properties.cooperativeLaunch;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(properties.sharedMemPerBlockOptin);
      break;
    case cudaDevAttrClusterLaunch:
      *value = properties.clusterLaunch;
      break;
    default:
      return note(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}
