// Between NumPy arrays and views: nothing is copied in either direction.
#pragma once

#include <pybind11/numpy.h>

#include <algorithm>

#include "base/error.h"
#include "base/tensor.h"

namespace slipway {

/// The engine's element type of an array; Error(kInput) where it has none.
[[nodiscard]] inline DType dtype_of(const pybind11::array& array) {
  const char kind = array.dtype().kind();
  const auto bytes = array.itemsize();
  if (!array.dtype().attr("isnative").cast<bool>()) fail(Code::kInput, "an array is not in native byte order");
  if (kind == 'f' && bytes == 4) return DType::kFloat32;
  if (kind == 'f' && bytes == 8) return DType::kFloat64;
  if (kind == 'i' && bytes == 8) return DType::kInt64;
  if (kind == 'i' && bytes == 4) return DType::kInt32;
  if (kind == 'i' && bytes == 1) return DType::kInt8;
  if (kind == 'u' && bytes == 1) return DType::kUint8;
  if (kind == 'b') return DType::kBool;
  fail(Code::kInput, "an array has type ", pybind11::str(array.dtype()).cast<std::string>(),
       ", supported are float32, float64, int64, int32, int8, uint8 and bool");
}

[[nodiscard]] inline Shape shape_of(const pybind11::array& array) {
  std::vector<int64_t> sizes(array.shape(), array.shape() + array.ndim());
  return Shape(sizes);
}

/// A view of a C-contiguous array, valid as long as the array.
[[nodiscard]] inline TensorView view_of(const pybind11::array& array) {
  if ((array.flags() & pybind11::array::c_style) == 0) fail(Code::kInput, "an array is not C-contiguous");
  return {array.data(), dtype_of(array), shape_of(array)};
}

/// NumPy's number of an element type.
[[nodiscard]] inline int type_number(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return pybind11::dtype::num_of<float>();
    case DType::kFloat64:
      return pybind11::dtype::num_of<double>();
    case DType::kInt64:
      return pybind11::dtype::num_of<int64_t>();
    case DType::kInt32:
      return pybind11::dtype::num_of<int32_t>();
    case DType::kInt8:
      return pybind11::dtype::num_of<int8_t>();
    case DType::kUint8:
      return pybind11::dtype::num_of<uint8_t>();
    case DType::kBool:
      return pybind11::dtype::num_of<bool>();
    case DType::kNone:
      break;
  }
  return -1;
}

[[nodiscard]] inline pybind11::dtype dtype_object(DType dtype) { return pybind11::dtype(type_number(dtype)); }

/// A new array, not initialised. By NumPy's own function: the constructors of pybind11 allocate and compute strides.
[[nodiscard]] inline pybind11::array new_array(DType dtype, const Shape& shape) {
  const pybind11::detail::npy_api& numpy = pybind11::detail::npy_api::get();
  Py_intptr_t sizes[kMaxRank];
  std::copy(shape.sizes().begin(), shape.sizes().end(), sizes);
  auto array = pybind11::reinterpret_steal<pybind11::array>(
      numpy.PyArray_NewFromDescr_(numpy.PyArray_Type_, numpy.PyArray_DescrFromType_(type_number(dtype)), shape.rank(),
                                  sizes, nullptr, nullptr, 0, nullptr));
  if (!array) throw pybind11::error_already_set();
  return array;
}

/// An array that owns the tensor's memory.
[[nodiscard]] inline pybind11::array array_of(Tensor&& tensor) {
  const std::vector<pybind11::ssize_t> shape(tensor.shape().sizes().begin(), tensor.shape().sizes().end());
  const DType dtype = tensor.dtype();
  std::byte* data = tensor.release();
  const pybind11::capsule owner(data, [](void* memory) { Buffer::release_aligned(static_cast<std::byte*>(memory)); });
  return pybind11::array(dtype_object(dtype), shape, data, owner);
}

}  // namespace slipway
