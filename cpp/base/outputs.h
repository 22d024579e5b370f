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
  /// Only after prepare(k), and the same until the run ends.
  [[nodiscard]] virtual void* address(std::size_t k) const noexcept = 0;
  /// Called when computing goes on behind some prepare(); a `short` run takes a few microseconds more and ends.
  virtual void prepared(bool /*is_short*/) {}
};

}  // namespace slipway
