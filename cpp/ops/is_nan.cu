// IsNaN on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct IsNanFunctor {
  template <typename T>
  __device__ bool operator()(T x) const {
    return x != x;
  }
};

}  // namespace

void is_nan(const OpCall& call) noexcept { map_each<bool>(call, Floats{}, IsNanFunctor{}); }

}  // namespace slipway::cuda
