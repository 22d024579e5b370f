// Cos on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct CosFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return std::cos(x);
  }
};

}  // namespace

void cos(const OpCall& call) noexcept { map_each(call, Floats{}, CosFunctor{}); }

}  // namespace slipway::cuda
