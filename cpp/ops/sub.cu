// Sub on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct SubFunctor {
  template <typename T>
  __device__ T operator()(T a, T b) const {
    return wrap_subtract(a, b);
  }
};

}  // namespace

void sub(const OpCall& call) noexcept { map_binary(call, Numbers{}, SubFunctor{}); }

}  // namespace slipway::cuda
