// Round on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct RoundFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return std::nearbyint(x);
  }
};

}  // namespace

void round(const OpCall& call) noexcept { map_each(call, Floats{}, RoundFunctor{}); }

}  // namespace slipway::cuda
