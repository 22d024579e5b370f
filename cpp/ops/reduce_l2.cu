// ReduceL2 on CUDA.
#include "ops/reduce.cuh"

namespace slipway::cuda {

namespace {

struct L2Term {
  __device__ double operator()(double x) const { return x * x; }
};

struct L2Ending {
  __device__ double operator()(double sum, int64_t) const { return std::sqrt(sum); }
};

}  // namespace

void reduce_l2(const OpCall& call) noexcept { reduce_sum_of(call, Floats{}, L2Term{}, L2Ending{}); }

}  // namespace slipway::cuda
