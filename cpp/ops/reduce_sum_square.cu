// ReduceSumSquare on CUDA.
#include "ops/reduce.cuh"

namespace slipway::cuda {

namespace {

struct SquareTerm {
  template <typename T>
  __device__ T operator()(T x) const {
    return wrap_multiply(x, x);
  }
};

}  // namespace

void reduce_sum_square(const OpCall& call) noexcept { reduce_sum_of(call, WideNumbers{}, SquareTerm{}, Itself{}); }

}  // namespace slipway::cuda
