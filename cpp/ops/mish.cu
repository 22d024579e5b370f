// Mish on CUDA.
#include "ops/elementwise.cuh"
#include "ops/mish.h"

namespace slipway::cuda {

namespace {

struct MishFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return mish_of(x);
  }
};

}  // namespace

void mish(const OpCall& call) noexcept { map_each(call, Floats{}, MishFunctor{}); }

}  // namespace slipway::cuda
