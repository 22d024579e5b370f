#include "ort/api.h"

#include <cstring>

namespace slipway::ort {

Api Api::from(const void* ort_api) noexcept {
  const auto* table = static_cast<const std::byte*>(ort_api);
  const auto take = [table]<typename Function>(int place, Function& function) {
    std::memcpy(&function, table + static_cast<std::size_t>(place) * sizeof(void*), sizeof function);
  };
  Api api = {};
  take(2, api.error_message);            // GetErrorMessage
  take(3, api.create_env);               // CreateEnv
  take(7, api.create_session);           // CreateSession
  take(9, api.run);                      // Run
  take(10, api.create_session_options);  // CreateSessionOptions
  take(23, api.set_optimization);        // SetSessionGraphOptimizationLevel
  take(24, api.set_threads);             // SetIntraOpNumThreads
  take(25, api.set_graph_threads);       // SetInterOpNumThreads
  take(30, api.input_count);             // SessionGetInputCount
  take(31, api.output_count);            // SessionGetOutputCount
  take(33, api.input_type);              // SessionGetInputTypeInfo
  take(34, api.output_type);             // SessionGetOutputTypeInfo
  take(36, api.input_name);              // SessionGetInputName
  take(37, api.output_name);             // SessionGetOutputName
  take(49, api.create_tensor);           // CreateTensorWithDataAsOrtValue
  take(51, api.tensor_data);             // GetTensorMutableData
  take(55, api.as_tensor_info);          // CastTypeInfoToTensorInfo
  take(56, api.type_kind);               // GetOnnxTypeFromTypeInfo
  take(60, api.element_type);            // GetTensorElementType
  take(61, api.rank);                    // GetDimensionsCount
  take(62, api.dimensions);              // GetDimensions
  take(63, api.symbols);                 // GetSymbolicDimensions
  take(65, api.tensor_info);             // GetTensorTypeAndShape
  take(69, api.create_cpu_memory);       // CreateCpuMemoryInfo
  take(76, api.free);                    // AllocatorFree
  take(78, api.default_allocator);       // GetAllocatorWithDefaultOptions
  take(92, api.release_env);             // ReleaseEnv
  take(93, api.release_status);          // ReleaseStatus
  take(94, api.release_memory);          // ReleaseMemoryInfo
  take(95, api.release_session);         // ReleaseSession
  take(96, api.release_value);           // ReleaseValue
  take(98, api.release_type);            // ReleaseTypeInfo
  take(99, api.release_tensor_info);     // ReleaseTensorTypeAndShapeInfo
  take(100, api.release_options);        // ReleaseSessionOptions
  take(111, api.model_metadata);         // SessionGetModelMetadata
  take(116, api.metadata_value);         // ModelMetadataLookupCustomMetadataMap
  take(118, api.release_metadata);       // ReleaseModelMetadata
  take(123, api.metadata_keys);          // ModelMetadataGetCustomMetadataMapKeys
  return api;
}

}  // namespace slipway::ort
