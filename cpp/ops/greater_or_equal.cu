// GreaterOrEqual on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct GreaterOrEqualFunctor {
  template <typename T>
  __device__ bool operator()(T a, T b) const {
    return a >= b;
  }
};

}  // namespace

void greater_or_equal(const OpCall& call) noexcept { compare(call, Numbers{}, GreaterOrEqualFunctor{}); }

}  // namespace slipway::cuda
