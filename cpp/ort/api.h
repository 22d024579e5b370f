// The part of onnxruntime's C ABI that we call. OrtApi is a structure of function pointers that only ever grows at
// its end, so a function is found by its place; places and signatures are onnxruntime's public C API documentation's
// (struct OrtApi), and tests/infer/test_onnxruntime.py runs every one of them against the real library.
#pragma once

#include <cstddef>
#include <cstdint>

namespace slipway::ort {

// Opaque to us.
struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtMemoryInfo;
struct OrtAllocator;
struct OrtTypeInfo;
struct OrtTensorInfo;
struct OrtModelMetadata;

/// The oldest version of the interface that has all of the places below.
inline constexpr uint32_t kApiVersion = 16;

/// What the library's only exported function, OrtGetApiBase, returns.
struct ApiBase {
  const void* (*get_api)(uint32_t version);
  const char* (*version)();
};

inline constexpr int kLoggingFatal = 4;
inline constexpr int kOptimizeAll = 99;
inline constexpr int kTypeTensor = 1;
inline constexpr int kDeviceAllocator = 0;
inline constexpr int kMemoryDefault = 0;

/// The functions by name. A status that is not null is an error and is released by the caller.
struct Api {
  using Status = OrtStatus*;

  const char* (*error_message)(const OrtStatus*);
  Status (*create_env)(int logging_level, const char* name, OrtEnv**);
  Status (*create_session)(const OrtEnv*, const char* path, const OrtSessionOptions*, OrtSession**);
  Status (*run)(OrtSession*, const OrtRunOptions*, const char* const* input_names, const OrtValue* const* inputs,
                std::size_t input_count, const char* const* output_names, std::size_t output_count, OrtValue** outputs);
  Status (*create_session_options)(OrtSessionOptions**);
  Status (*set_optimization)(OrtSessionOptions*, int level);
  Status (*set_threads)(OrtSessionOptions*, int count);
  Status (*set_graph_threads)(OrtSessionOptions*, int count);
  Status (*input_count)(const OrtSession*, std::size_t*);
  Status (*output_count)(const OrtSession*, std::size_t*);
  Status (*input_type)(const OrtSession*, std::size_t, OrtTypeInfo**);
  Status (*output_type)(const OrtSession*, std::size_t, OrtTypeInfo**);
  Status (*input_name)(const OrtSession*, std::size_t, OrtAllocator*, char**);
  Status (*output_name)(const OrtSession*, std::size_t, OrtAllocator*, char**);
  Status (*create_tensor)(const OrtMemoryInfo*, void* data, std::size_t bytes, const int64_t* shape, std::size_t rank,
                          int type, OrtValue**);
  Status (*tensor_data)(OrtValue*, void**);
  Status (*as_tensor_info)(const OrtTypeInfo*, const OrtTensorInfo**);
  Status (*type_kind)(const OrtTypeInfo*, int*);
  Status (*element_type)(const OrtTensorInfo*, int*);
  Status (*rank)(const OrtTensorInfo*, std::size_t*);
  Status (*dimensions)(const OrtTensorInfo*, int64_t*, std::size_t);
  Status (*symbols)(const OrtTensorInfo*, const char**, std::size_t);
  Status (*tensor_info)(const OrtValue*, OrtTensorInfo**);
  Status (*create_cpu_memory)(int allocator, int memory, OrtMemoryInfo**);
  Status (*free)(OrtAllocator*, void*);
  Status (*default_allocator)(OrtAllocator**);
  Status (*model_metadata)(const OrtSession*, OrtModelMetadata**);
  Status (*metadata_value)(const OrtModelMetadata*, OrtAllocator*, const char* key, char**);
  Status (*metadata_keys)(const OrtModelMetadata*, OrtAllocator*, char***, int64_t* count);
  void (*release_env)(OrtEnv*);
  void (*release_status)(OrtStatus*);
  void (*release_memory)(OrtMemoryInfo*);
  void (*release_session)(OrtSession*);
  void (*release_value)(OrtValue*);
  void (*release_type)(OrtTypeInfo*);
  void (*release_tensor_info)(OrtTensorInfo*);
  void (*release_options)(OrtSessionOptions*);
  void (*release_metadata)(OrtModelMetadata*);

  /// Picks the functions out of an OrtApi.
  [[nodiscard]] static Api from(const void* ort_api) noexcept;
};

}  // namespace slipway::ort
