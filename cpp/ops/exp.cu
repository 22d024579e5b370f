// Exp on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct ExpFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return std::exp(x);
  }
};

}  // namespace

void exp(const OpCall& call) noexcept { map_each(call, Floats{}, ExpFunctor{}); }

}  // namespace slipway::cuda
