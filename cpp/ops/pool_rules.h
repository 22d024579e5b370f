// What MaxPool and AveragePool share: x [N, C, D...] -> y [N, C, O...], one to three spatial axes.
#pragma once

#include "ops/op.h"
#include "ops/pool.h"

namespace slipway {

/// The output sizes of input 0, by the node's window attributes; unknown where the input's rank is.
/// Refuses pads that are not smaller than the window: such windows would see no element.
[[nodiscard]] std::optional<Dims> pooled_dims(const InferContext& context);

/// Geometry and counted work.
[[nodiscard]] PoolCall read_pool(PrepareContext& context);

}  // namespace slipway
