// Log on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct LogFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    return std::log(x);
  }
};

}  // namespace

void log(const OpCall& call) noexcept { map_each(call, Floats{}, LogFunctor{}); }

}  // namespace slipway::cuda
