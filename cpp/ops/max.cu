// Max on CUDA.
#include "ops/extremum.cuh"

namespace slipway::cuda {

namespace {

struct MaxFunctor {
  template <typename T>
  __device__ bool operator()(T next, T best) const {
    return next > best;
  }
};

}  // namespace

void max(const OpCall& call) noexcept { fold_inputs(call, MaxFunctor{}); }

}  // namespace slipway::cuda
