// Xor on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct XorFunctor {
  __device__ bool operator()(uint8_t a, uint8_t b) const { return (a != 0) != (b != 0); }
};

}  // namespace

void logical_xor(const OpCall& call) noexcept { map_logical(call, XorFunctor{}); }

}  // namespace slipway::cuda
