// Tanh on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct TanhFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return std::tanh(x);
  }
};

}  // namespace

void tanh(const OpCall& call) noexcept { map_each(call, Floats{}, TanhFunctor{}); }

}  // namespace slipway::cuda
