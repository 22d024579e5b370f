// SpaceToDepth on CUDA.
#include "ops/move.cuh"

namespace slipway::cuda {

void space_to_depth(const OpCall& call) noexcept { copy_walk(call, call.as<Walk<1>>()); }

}  // namespace slipway::cuda
