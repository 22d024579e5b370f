// Tile on CUDA.
#include "ops/move.cuh"

namespace slipway::cuda {

void tile(const OpCall& call) noexcept { copy_walk(call, call.as<Walk<1>>()); }

}  // namespace slipway::cuda
