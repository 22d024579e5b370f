// Erf on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct ErfFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return std::erf(x);
  }
};

}  // namespace

void erf(const OpCall& call) noexcept { map_each(call, Floats{}, ErfFunctor{}); }

}  // namespace slipway::cuda
