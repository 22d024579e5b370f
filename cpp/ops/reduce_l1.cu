// ReduceL1 on CUDA.
#include "ops/reduce.cuh"

namespace slipway::cuda {

namespace {

struct MagnitudeTerm {
  template <typename T>
  __device__ T operator()(T x) const {
    return x < 0 ? wrap_subtract(T{0}, x) : x;
  }
};

}  // namespace

void reduce_l1(const OpCall& call) noexcept { reduce_sum_of(call, WideNumbers{}, MagnitudeTerm{}, Itself{}); }

}  // namespace slipway::cuda
