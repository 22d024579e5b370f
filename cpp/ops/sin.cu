// Sin on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct SinFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return std::sin(x);
  }
};

}  // namespace

void sin(const OpCall& call) noexcept { map_each(call, Floats{}, SinFunctor{}); }

}  // namespace slipway::cuda
