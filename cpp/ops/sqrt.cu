// Sqrt on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct SqrtFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return std::sqrt(x);
  }
};

}  // namespace

void sqrt(const OpCall& call) noexcept { map_each(call, Floats{}, SqrtFunctor{}); }

}  // namespace slipway::cuda
