// DepthToSpace on CUDA.
#include "ops/move.cuh"

namespace slipway::cuda {

void depth_to_space(const OpCall& call) noexcept { copy_walk(call, call.as<Walk<1>>()); }

}  // namespace slipway::cuda
