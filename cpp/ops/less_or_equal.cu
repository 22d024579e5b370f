// LessOrEqual on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct LessOrEqualFunctor {
  template <typename T>
  __device__ bool operator()(T a, T b) const {
    return a <= b;
  }
};

}  // namespace

void less_or_equal(const OpCall& call) noexcept { compare(call, Numbers{}, LessOrEqualFunctor{}); }

}  // namespace slipway::cuda
