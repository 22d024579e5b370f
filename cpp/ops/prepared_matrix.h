// The second operand of a float32 product, prepared for the instruction set where it is constant.
#pragma once

#include <memory>

#include "base/tensor.h"
#include "ops/op.h"
#include "ops/small_panels.h"
#include "ops/split_weights.h"
#include "simd/prepared_matrix.h"

namespace slipway {

/// What a PreparedMatrix points at: one of them, or nothing.
struct OwnedMatrix {
  std::shared_ptr<const Tensor> panels;
  std::shared_ptr<const SplitWeights> split;
  std::shared_ptr<const SmallPanels> small;

  [[nodiscard]] PreparedMatrix view() const noexcept;
};

/// What meets B.
struct MatrixUse {
  int64_t rows = 0;            ///< of A
  bool has_dense_rows = true;  ///< the terms of a row of A lie one after the other
};

/// `b`, whose data are null where it is no constant, for a vector instruction set: in the form that fits `use`, else as
/// panels. Sets context.scratch_bytes to what the kernel needs beside it.
[[nodiscard]] OwnedMatrix prepare_matrix(PrepareContext& context, const ConstantMatrix& b, const MatrixUse& use);

/// The same of `count` matrices of which each meets an A of its own: always panels.
[[nodiscard]] OwnedMatrix prepare_stack(PrepareContext& context, const ConstantMatrix& first, int64_t count);

}  // namespace slipway
