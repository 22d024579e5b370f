// Who gives the memory of a run's outputs, once their shapes are known.
#pragma once

#include <cstddef>

#include "base/dtype.h"
#include "base/shape.h"

namespace slipway {

/// Where the outputs of a run go.
class Outputs {
 public:
  Outputs() = default;
  Outputs(const Outputs&) = delete;
  Outputs& operator=(const Outputs&) = delete;
  virtual ~Outputs() = default;

  /// Called once for each output, when its type and shape are known; memory must be there from then on.
  virtual void prepare(std::size_t k, DType dtype, const Shape& shape) = 0;
  /// Called instead of prepare() where output k may stand in the memory of input `input`, of the same type and shape:
  /// the run changes a few of its elements there and reads it no more. Else the run copies it.
  virtual void prepare_update(std::size_t k, DType dtype, const Shape& shape, std::size_t /*input*/) {
    prepare(k, dtype, shape);
  }
  /// Only after prepare(k), and the same until the run ends.
  [[nodiscard]] virtual void* address(std::size_t k) const noexcept = 0;
  /// Called when computing goes on behind some prepare(); a `short` run takes a few microseconds more and ends.
  virtual void prepared(bool /*is_short*/) {}
};

}  // namespace slipway
