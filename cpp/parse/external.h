// Tensors whose data lie in files beside the model (TensorProto.external_data): the one place that opens such a file.
//
// A model may name what it likes, so nothing is judged by the look of the name: each folder on the way and the file at
// its end are opened one by one below the model's folder, following no link, and what was opened is then looked at.
// Only regular files with one name are read; anything else may belong to somebody else.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/tensor.h"
#include "parse/wire.h"

namespace slipway {

class ExternalFiles {
 public:
  /// `folder` holds the model.
  explicit ExternalFiles(std::string folder) : folder_(std::move(folder)) {}

  /// Reads a tensor's bytes as they lie in the file that the entries (StringStringEntryProto) of external_data name:
  /// `location`, and perhaps `offset` and `length` in bytes; `checksum` is not looked at. Throws Error(kModel) where
  /// they are wrong or lead out of the folder, Error(kIo) where the file cannot be read.
  [[nodiscard]] Tensor read(const std::vector<Bytes>& entries, DType dtype, const Shape& shape) const;

 private:
  std::string folder_;
};

}  // namespace slipway
