// Which products of matrices run on a GPU's tensor cores, and how their terms are cut.
#pragma once

#include "ops/op.h"
#include "ops/product.h"

namespace slipway {

/// [width, terms], the weights, times [depth, terms] transposed, or the other way round where `is_turned`, `copies`
/// times. What decides on the order of sums is `width` and `terms` alone, so that a sample keeps its bits in any batch.
/// The slice is 0 where a plain kernel is better, or the only one.
[[nodiscard]] ProductShape choose_product(const PrepareContext& context, int64_t width, int64_t depth, int64_t terms,
                                          int64_t copies, bool is_turned);

}  // namespace slipway
