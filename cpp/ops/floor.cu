// Floor on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct FloorFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return std::floor(x);
  }
};

}  // namespace

void floor(const OpCall& call) noexcept { map_each(call, Floats{}, FloorFunctor{}); }

}  // namespace slipway::cuda
