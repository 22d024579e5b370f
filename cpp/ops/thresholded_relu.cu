// ThresholdedRelu on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct ThresholdedReluFunctor {
  float alpha;

  template <typename T>
  __device__ T operator()(T x) const {
    return x > static_cast<T>(alpha) ? x : T{0};
  }
};

}  // namespace

void thresholded_relu(const OpCall& call) noexcept {
  map_each(call, Floats{}, ThresholdedReluFunctor{call.as<float>()});
}

}  // namespace slipway::cuda
