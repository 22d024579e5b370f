// NumPy's .npy files (format versions 1 to 3) as tensors. Plain numbers only: no objects, no structures.
#pragma once

#include <string>
#include <string_view>

#include "base/tensor.h"

namespace slipway::infer {

/// Reads the bytes of a .npy file; Fortran order is turned into C order, any non-zero byte of a bool into true.
/// Throws Error(kInput) where the file is damaged or holds a type that the engine does not have.
[[nodiscard]] Tensor parse_npy(std::string_view bytes);

/// read_file() and parse_npy(), with the file's name in the message.
[[nodiscard]] Tensor read_npy(const std::string& path);

/// The bytes of a version 1 file in C order.
[[nodiscard]] std::string npy_bytes(const TensorView& tensor);

}  // namespace slipway::infer
