// HardSwish on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct HardSwishFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    const T raised = x + 3;
    return x * ((raised < 0 ? T{0} : raised > 6 ? T{6} : raised) / 6);
  }
};

}  // namespace

void hard_swish(const OpCall& call) noexcept { map_each(call, Floats{}, HardSwishFunctor{}); }

}  // namespace slipway::cuda
