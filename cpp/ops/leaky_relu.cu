// LeakyRelu on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct LeakyReluFunctor {
  float alpha;

  template <typename T>
  __device__ T operator()(T x) const {
    return x < 0 ? static_cast<T>(alpha) * x : x;
  }
};

}  // namespace

void leaky_relu(const OpCall& call) noexcept { map_each(call, Floats{}, LeakyReluFunctor{call.as<float>()}); }

}  // namespace slipway::cuda
