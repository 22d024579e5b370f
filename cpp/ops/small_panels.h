// Panels (simd/panels.h) of weights that fewer bytes can hold, for products that wait for memory.
#pragma once

#include <memory>

#include "base/precision.h"
#include "base/tensor.h"
#include "ops/op.h"
#include "simd/small_weights.h"

namespace slipway {

/// A constant B [K, N]: B[p, j] = data[p * row + j * column].
struct ConstantMatrix {
  const float* data;
  int64_t row;
  int64_t column;
  int64_t k;
  int64_t n;
};

/// What SmallWeights points at.
struct SmallPanels {
  Precision precision = Precision::kFloat32;  ///< kFloat32: nothing at all
  Tensor weights;                             ///< bytes
  Tensor scales;

  [[nodiscard]] SmallWeights view() const noexcept;
};

/// B in panels of bfloat16, or of int8 with scales, where that loses nothing, the product has few rows
/// (kMostSmallRows), the instruction set widens them in one instruction and B does not fit into the first cache; else
/// null. Which numbers B holds is the passes' affair (passes/round_weights.h).
[[nodiscard]] std::shared_ptr<const SmallPanels> small_panels(const PrepareContext& context, const ConstantMatrix& b,
                                                              int64_t rows);

}  // namespace slipway
