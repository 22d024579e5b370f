// Shape on CUDA.
#include "ops/integers.cuh"
#include "ops/prepared.h"

namespace slipway::cuda {

void shape(const OpCall& call) noexcept {
  const auto [begin, end] = call.as<ShapePrepared>();
  Integers<kMaxRank> sizes;
  for (int64_t axis = begin; axis < end; ++axis) {
    sizes.at[sizes.count++] = call.inputs[0].shape[static_cast<int>(axis)];
  }
  write_integers(call, sizes);
}

}  // namespace slipway::cuda
