// Softplus on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct SoftplusFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    // The larger part is taken out, so that exp never overflows.
    return (x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(x)));
  }
};

}  // namespace

void softplus(const OpCall& call) noexcept { map_each(call, Floats{}, SoftplusFunctor{}); }

}  // namespace slipway::cuda
