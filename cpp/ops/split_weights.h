// Weights as sums of bfloat16 (simd/split.h), for products of many rows on a unit that multiplies it.
#pragma once

#include <memory>

#include "base/tensor.h"
#include "ops/op.h"
#include "ops/small_panels.h"
#include "simd/split.h"

namespace slipway {

struct SplitWeights {
  Tensor bytes;  ///< none where the weights do not split

  [[nodiscard]] const uint16_t* columns() const noexcept { return bytes.as<uint16_t>(); }
};

/// B as blocks of columns; null where the instruction set is another than kAmx, rows, columns or terms are few, or a
/// column of B does not split. So many rows have other last bits than
/// few.
[[nodiscard]] std::shared_ptr<const SplitWeights> split_weights(const PrepareContext& context, const ConstantMatrix& b,
                                                                int64_t rows);

}  // namespace slipway
