// Slice on CUDA.
#include "ops/move.cuh"
#include "ops/prepared.h"

namespace slipway::cuda {

void slice(const OpCall& call) noexcept {
  const auto& prepared = call.as<SlicePrepared>();
  copy_walk(call, prepared.walk, prepared.base);
}

}  // namespace slipway::cuda
