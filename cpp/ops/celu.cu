// Celu on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct CeluFunctor {
  double alpha;

  __device__ float operator()(float x) const {
    // In double: where alpha is negative, the rounding of x / alpha grows with the power.
    return x < 0 ? static_cast<float>(alpha * ::expm1(static_cast<double>(x) / alpha)) : x;
  }
};

}  // namespace

void celu(const OpCall& call) noexcept { map_each(call, Types<float>{}, CeluFunctor{call.as<float>()}); }

}  // namespace slipway::cuda
