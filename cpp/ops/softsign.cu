// Softsign on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct SoftsignFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return x / (1 + std::abs(x));
  }
};

}  // namespace

void softsign(const OpCall& call) noexcept { map_each(call, Floats{}, SoftsignFunctor{}); }

}  // namespace slipway::cuda
