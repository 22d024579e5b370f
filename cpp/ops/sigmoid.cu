// Sigmoid on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct SigmoidFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    // Two forms, so that exp never overflows and small results keep their digits.
    const T e = std::exp(-std::abs(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
  }
};

}  // namespace

void sigmoid(const OpCall& call) noexcept { map_each(call, Floats{}, SigmoidFunctor{}); }

}  // namespace slipway::cuda
