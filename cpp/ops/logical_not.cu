// Not on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct NotFunctor {
  __device__ bool operator()(uint8_t x) const { return x == 0; }
};

}  // namespace

void logical_not(const OpCall& call) noexcept { map_each_of<bool, uint8_t>(call, NotFunctor{}); }

}  // namespace slipway::cuda
