// Add on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct AddFunctor {
  template <typename T>
  __device__ T operator()(T a, T b) const {
    return wrap_add(a, b);
  }
};

}  // namespace

void add(const OpCall& call) noexcept { map_binary(call, Numbers{}, AddFunctor{}); }

}  // namespace slipway::cuda
