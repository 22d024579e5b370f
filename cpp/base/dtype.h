// Element types of tensors, with their ONNX numbers.
#pragma once

#include <cstdint>
#include <string_view>

namespace slipway {

/// Values equal TensorProto.DataType of ONNX.
enum class DType : uint8_t {
  kNone = 0,
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kInt32 = 6,
  kInt64 = 7,
  kBool = 9,
  kFloat64 = 11,
};

/// Bytes of one element; 0 for kNone.
[[nodiscard]] constexpr int64_t size_of(DType type) noexcept {
  switch (type) {
    case DType::kUint8:
    case DType::kInt8:
    case DType::kBool:
      return 1;
    case DType::kFloat32:
    case DType::kInt32:
      return 4;
    case DType::kInt64:
    case DType::kFloat64:
      return 8;
    case DType::kNone:
      break;
  }
  return 0;
}

/// "float32", "int64", ...: the names that NumPy uses.
[[nodiscard]] constexpr std::string_view name_of(DType type) noexcept {
  switch (type) {
    case DType::kFloat32:
      return "float32";
    case DType::kUint8:
      return "uint8";
    case DType::kInt8:
      return "int8";
    case DType::kInt32:
      return "int32";
    case DType::kInt64:
      return "int64";
    case DType::kBool:
      return "bool";
    case DType::kFloat64:
      return "float64";
    case DType::kNone:
      break;
  }
  return "none";
}

/// Maps an ONNX number to a DType; kNone where the engine does not have the type.
[[nodiscard]] constexpr DType dtype_from_onnx(int64_t number) noexcept {
  switch (number) {
    case 1:
    case 2:
    case 3:
    case 6:
    case 7:
    case 9:
    case 11:
      return static_cast<DType>(number);
    default:
      return DType::kNone;
  }
}

template <typename T>
inline constexpr DType kDTypeOf = DType::kNone;
template <>
inline constexpr DType kDTypeOf<float> = DType::kFloat32;
template <>
inline constexpr DType kDTypeOf<uint8_t> = DType::kUint8;
template <>
inline constexpr DType kDTypeOf<int8_t> = DType::kInt8;
template <>
inline constexpr DType kDTypeOf<int32_t> = DType::kInt32;
template <>
inline constexpr DType kDTypeOf<int64_t> = DType::kInt64;
template <>
inline constexpr DType kDTypeOf<bool> = DType::kBool;
template <>
inline constexpr DType kDTypeOf<double> = DType::kFloat64;

}  // namespace slipway
