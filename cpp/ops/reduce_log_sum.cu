// ReduceLogSum on CUDA.
#include "ops/reduce.cuh"

namespace slipway::cuda {

namespace {

struct LogEnding {
  __device__ double operator()(double sum, int64_t) const { return std::log(sum); }
};

}  // namespace

void reduce_log_sum(const OpCall& call) noexcept { reduce_sum_of(call, Floats{}, Itself{}, LogEnding{}); }

}  // namespace slipway::cuda
