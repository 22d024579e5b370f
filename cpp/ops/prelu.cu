// PRelu on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct PReluFunctor {
  template <typename T>
  __device__ T operator()(T x, T slope) const {
    return x < 0 ? slope * x : x;
  }
};

}  // namespace

void prelu(const OpCall& call) noexcept { map_binary(call, Floats{}, PReluFunctor{}); }

}  // namespace slipway::cuda
