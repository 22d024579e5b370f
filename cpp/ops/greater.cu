// Greater on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct GreaterFunctor {
  template <typename T>
  __device__ bool operator()(T a, T b) const {
    return a > b;
  }
};

}  // namespace

void greater(const OpCall& call) noexcept { compare(call, Numbers{}, GreaterFunctor{}); }

}  // namespace slipway::cuda
