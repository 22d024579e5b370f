// Less on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct LessFunctor {
  template <typename T>
  __device__ bool operator()(T a, T b) const {
    return a < b;
  }
};

}  // namespace

void less(const OpCall& call) noexcept { compare(call, Numbers{}, LessFunctor{}); }

}  // namespace slipway::cuda
