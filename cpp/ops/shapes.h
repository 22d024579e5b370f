// Shape arithmetic shared by operators that move elements, and the loop that moves them.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ops/op.h"
#include "ops/types.h"
#include "ops/walk.h"

namespace slipway {

/// a * b; Error(kLimit) where it does not fit.
[[nodiscard]] int64_t checked_multiply(int64_t a, int64_t b);
[[nodiscard]] int64_t checked_add(int64_t a, int64_t b);
/// Product of sizes; unknown where one of them is, unless another is 0.
[[nodiscard]] Dim product_of(std::span<const Dim> dims);
/// The dimension that both state; Error(kModel) where they differ.
[[nodiscard]] Dim agreed(const InferContext& context, const Dim& a, const Dim& b, std::string_view what);
/// Axes made non-negative; Error(kModel) where one does not fit or stands twice.
[[nodiscard]] std::vector<int64_t> normalise_axes(const InferContext& context, std::vector<int64_t> axes, int64_t rank);
/// The one integer of input i, a scalar or a list of one; nothing (and waited for) where it is not known yet.
[[nodiscard]] std::optional<int64_t> scalar_int(InferContext& context, int i);
/// Refuses an input that is neither a scalar nor a list of one.
void require_one_element(const InferContext& context, int i);

namespace scalar {

/// y[i] = x[base + walk] for every element, of whatever type.
void copy_walk(const OpCall& call, const Walk<1>& walk, int64_t base = 0) noexcept;

}  // namespace scalar
}  // namespace slipway
