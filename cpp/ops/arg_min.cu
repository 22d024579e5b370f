// ArgMin on CUDA.
#include "ops/reduce.cuh"

namespace slipway::cuda {

namespace {

struct ArgMinFunctor {
  template <typename T>
  __device__ bool operator()(T a, T b) const {
    return a < b;
  }
};

}  // namespace

void arg_min(const OpCall& call) noexcept { arg_extremum(call, ArgMinFunctor{}); }

}  // namespace slipway::cuda
