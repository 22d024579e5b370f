// ArgMax on CUDA.
#include "ops/reduce.cuh"

namespace slipway::cuda {

namespace {

struct ArgMaxFunctor {
  template <typename T>
  __device__ bool operator()(T a, T b) const {
    return a > b;
  }
};

}  // namespace

void arg_max(const OpCall& call) noexcept { arg_extremum(call, ArgMaxFunctor{}); }

}  // namespace slipway::cuda
