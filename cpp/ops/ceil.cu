// Ceil on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct CeilFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return std::ceil(x);
  }
};

}  // namespace

void ceil(const OpCall& call) noexcept { map_each(call, Floats{}, CeilFunctor{}); }

}  // namespace slipway::cuda
