// Reciprocal on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct ReciprocalFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return 1 / x;
  }
};

}  // namespace

void reciprocal(const OpCall& call) noexcept { map_each(call, Floats{}, ReciprocalFunctor{}); }

}  // namespace slipway::cuda
