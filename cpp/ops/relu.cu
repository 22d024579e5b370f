// Relu on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct ReluFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return x < T{0} ? T{0} : x;
  }
};

}  // namespace

void relu(const OpCall& call) noexcept { map_each(call, SignedNumbers{}, ReluFunctor{}); }

}  // namespace slipway::cuda
