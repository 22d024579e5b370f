// And on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct AndFunctor {
  __device__ bool operator()(uint8_t a, uint8_t b) const { return a != 0 && b != 0; }
};

}  // namespace

void logical_and(const OpCall& call) noexcept { map_logical(call, AndFunctor{}); }

}  // namespace slipway::cuda
