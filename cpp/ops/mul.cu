// Mul on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct MulFunctor {
  template <typename T>
  __device__ T operator()(T a, T b) const {
    return wrap_multiply(a, b);
  }
};

}  // namespace

void mul(const OpCall& call) noexcept { map_binary(call, Numbers{}, MulFunctor{}); }

}  // namespace slipway::cuda
