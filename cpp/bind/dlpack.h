// The structs of DLPack 0.8 that two libraries hand each other: https://dmlc.github.io/dlpack/latest/c_api.html
#pragma once

#include <cstdint>

namespace slipway::dlpack {

inline constexpr int32_t kCpu = 1;
inline constexpr int32_t kCuda = 2;
inline constexpr const char* kName = "dltensor";
inline constexpr const char* kUsedName = "used_dltensor";

struct Device {
  int32_t kind;
  int32_t number;
};

struct Type {
  uint8_t code;  // 0 int, 1 unsigned, 2 float, 6 bool
  uint8_t bits;
  uint16_t lanes;
};

struct Tensor {
  void* data;
  Device device;
  int32_t rank;
  Type type;
  int64_t* shape;
  int64_t* strides;  // in elements; null: contiguous
  uint64_t offset;   // bytes from data to the first element
};

struct ManagedTensor {
  Tensor tensor;
  void* owner;
  void (*release)(ManagedTensor*);
};

}  // namespace slipway::dlpack
