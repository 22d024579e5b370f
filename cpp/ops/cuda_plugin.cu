// The plugin's table: the CUDA runtime by plain functions, and the kernels of ops.def's last column.
#include <cstring>

#include "ops/launch.cuh"

namespace slipway::cuda {

#define SLIPWAY_DECLARE_NONE(id)
#define SLIPWAY_DECLARE_CUDA(id) void id(const OpCall&) noexcept;
#define SLIPWAY_OP(id, onnx, domain, low, high, tolerance, kind, simd, cuda) SLIPWAY_DECLARE_##cuda(id)
#include "ops/ops.def"
#undef SLIPWAY_OP

namespace {

using Kernel = void (*)(const OpCall&) noexcept;

struct NamedKernel {
  const char* id;
  Kernel kernel;
};

#define SLIPWAY_ENTRY_NONE(id)
#define SLIPWAY_ENTRY_CUDA(id) {#id, &id},
#define SLIPWAY_OP(id, onnx, domain, low, high, tolerance, kind, simd, cuda) SLIPWAY_ENTRY_##cuda(id)
constexpr NamedKernel kKernels[] = {
#include "ops/ops.def"
    {nullptr, nullptr}};
#undef SLIPWAY_OP

Kernel find_kernel(const char* id) {
  for (const NamedKernel* entry = kKernels; entry->id != nullptr; ++entry) {
    if (std::strcmp(entry->id, id) == 0) return entry->kernel;
  }
  return nullptr;
}

// ---- devices ----
int count_devices(const char** why) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count > 0) return count;
  int driver = 0;
  (void)cudaDriverGetVersion(&driver);
  if (driver == 0) {
    *why = "there is no NVIDIA driver on this machine (libcuda.so.1 is not found)";
  } else if (error == cudaErrorInsufficientDriver) {
    *why = "the NVIDIA driver of this machine is older than the CUDA that slipway was built with; update the driver";
  } else {
    *why = error == cudaSuccess ? "no CUDA device was found" : cudaGetErrorString(error);
  }
  return 0;
}

int describe(int device, CudaDeviceInfo* info) {
  cudaDeviceProp properties;
  cudaError_t error = cudaGetDeviceProperties(&properties, device);
  if (error != cudaSuccess) return error;
  static_assert(sizeof info->name == sizeof properties.name);
  std::memcpy(info->name, properties.name, sizeof info->name);
  info->major = properties.major;
  info->minor = properties.minor;
  info->multiprocessors = properties.multiProcessorCount;
  info->shared_bytes = static_cast<int>(properties.sharedMemPerBlockOptin);
  info->memory_bytes = static_cast<int64_t>(properties.totalGlobalMem);
  // Results come and go with every run: memory that was freed stays ours instead of going back to the driver.
  cudaMemPool_t pool;
  uint64_t keep = UINT64_MAX;
  error = cudaDeviceGetDefaultMemPool(&pool, device);
  return error != cudaSuccess ? error : cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep);
}

int use(int device) { return cudaSetDevice(device); }
const char* explain(int error) { return cudaGetErrorString(static_cast<cudaError_t>(error)); }

// ---- streams ----
cudaStream_t as_stream(void* stream) { return static_cast<cudaStream_t>(stream); }

int make_stream(void** stream) {
  return cudaStreamCreateWithFlags(reinterpret_cast<cudaStream_t*>(stream), cudaStreamNonBlocking);
}
void destroy_stream(void* stream) { (void)cudaStreamDestroy(as_stream(stream)); }
int synchronize(void* stream) { return cudaStreamSynchronize(as_stream(stream)); }

// ---- memory ----
int allocate(void** memory, int64_t bytes) { return cudaMalloc(memory, static_cast<std::size_t>(bytes)); }
void release(void* memory) { (void)cudaFree(memory); }
int allocate_async(void** memory, int64_t bytes, void* stream) {
  return cudaMallocAsync(memory, static_cast<std::size_t>(bytes), as_stream(stream));
}
int release_async(void* memory, void* stream) { return cudaFreeAsync(memory, as_stream(stream)); }
int allocate_pinned(void** memory, int64_t bytes) {
  return cudaHostAlloc(memory, static_cast<std::size_t>(bytes), cudaHostAllocDefault);
}
void release_pinned(void* memory) { (void)cudaFreeHost(memory); }
int copy(void* to, const void* from, int64_t bytes, void* stream) {
  return cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDefault, as_stream(stream));
}
int fill(void* memory, int byte, int64_t bytes, void* stream) {
  return cudaMemsetAsync(memory, byte, static_cast<std::size_t>(bytes), as_stream(stream));
}

int device_of(const void* memory) {
  cudaPointerAttributes attributes;
  if (cudaPointerGetAttributes(&attributes, memory) != cudaSuccess) {
    (void)cudaGetLastError();
    return -1;
  }
  return attributes.type == cudaMemoryTypeDevice ? attributes.device : -1;
}

// ---- graphs ----
bool is_capturing(void* stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  return cudaStreamIsCapturing(as_stream(stream), &status) == cudaSuccess && status != cudaStreamCaptureStatusNone;
}
int begin_capture(void* stream) { return cudaStreamBeginCapture(as_stream(stream), cudaStreamCaptureModeThreadLocal); }

int end_capture(void* stream, void** graph) {
  cudaGraph_t recorded = nullptr;
  cudaError_t error = cudaStreamEndCapture(as_stream(stream), &recorded);
  if (error != cudaSuccess) return error;
  std::size_t nodes = 0;
  error = cudaGraphGetNodes(recorded, nullptr, &nodes);
  if (error == cudaSuccess && nodes > 1) {
    error = cudaGraphInstantiate(reinterpret_cast<cudaGraphExec_t*>(graph), recorded, 0);
  }
  (void)cudaGraphDestroy(recorded);
  return error;
}

int launch_graph(void* graph, void* stream) {
  return cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), as_stream(stream));
}
void destroy_graph(void* graph) { (void)cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)); }

// ---- events ----
int make_event(void** event) {
  return cudaEventCreateWithFlags(reinterpret_cast<cudaEvent_t*>(event), cudaEventDisableTiming);
}
int record_event(void* event, void* stream) {
  return cudaEventRecord(static_cast<cudaEvent_t>(event), as_stream(stream));
}
int wait_event(void* event, void* stream) {
  return cudaStreamWaitEvent(as_stream(stream), static_cast<cudaEvent_t>(event), 0);
}
void destroy_event(void* event) { (void)cudaEventDestroy(static_cast<cudaEvent_t>(event)); }

constexpr CudaPlugin kPlugin = {.abi = kCudaAbi,
                                .version = SLIPWAY_VERSION,
                                .count_devices = &count_devices,
                                .describe = &describe,
                                .use = &use,
                                .explain = &explain,
                                .make_stream = &make_stream,
                                .destroy_stream = &destroy_stream,
                                .synchronize = &synchronize,
                                .allocate = &allocate,
                                .release = &release,
                                .allocate_async = &allocate_async,
                                .release_async = &release_async,
                                .allocate_pinned = &allocate_pinned,
                                .release_pinned = &release_pinned,
                                .copy = &copy,
                                .fill = &fill,
                                .device_of = &device_of,
                                .is_capturing = &is_capturing,
                                .begin_capture = &begin_capture,
                                .end_capture = &end_capture,
                                .launch_graph = &launch_graph,
                                .destroy_graph = &destroy_graph,
                                .make_event = &make_event,
                                .record_event = &record_event,
                                .wait_event = &wait_event,
                                .destroy_event = &destroy_event,
                                .find_kernel = &find_kernel};

}  // namespace
}  // namespace slipway::cuda

extern "C" __attribute__((visibility("default"))) const slipway::CudaPlugin* slipway_cuda_plugin() {
  return &slipway::cuda::kPlugin;
}
