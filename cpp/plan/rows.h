// Runs of many rows as several of a few: where nothing that a plan computes for a row of its inputs, along their first
// axis, depends on the other rows. See docs/decisions/0022-parts-of-a-batch.md.
#pragma once

#include "plan/plan.h"

namespace slipway {

/// How many rows a part takes of a plan for `rows` that needs `arena_bytes`: a divisor of `rows`, or 0 where a plan of
/// fewer gains nothing.
[[nodiscard]] int64_t rows_of_part(int64_t rows, int64_t arena_bytes) noexcept;

/// True where running `part`, of `part_rows` rows, on one stretch of rows after the other makes what `whole`, of
/// `rows`, makes.
[[nodiscard]] bool has_free_rows(const Plan& whole, int64_t rows, const Plan& part, int64_t part_rows);

}  // namespace slipway
