// Min on CUDA.
#include "ops/extremum.cuh"

namespace slipway::cuda {

namespace {

struct MinFunctor {
  template <typename T>
  __device__ bool operator()(T next, T best) const {
    return next < best;
  }
};

}  // namespace

void min(const OpCall& call) noexcept { fold_inputs(call, MinFunctor{}); }

}  // namespace slipway::cuda
