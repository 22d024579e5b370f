// Selu on CUDA.
#include "ops/elementwise.cuh"
#include "ops/prepared.h"

namespace slipway::cuda {

namespace {

struct SeluFunctor {
  float alpha;
  float gamma;

  template <typename T>
  __device__ T operator()(T x) const {
    return static_cast<T>(gamma) * (x < 0 ? static_cast<T>(alpha) * std::expm1(x) : x);
  }
};

}  // namespace

void selu(const OpCall& call) noexcept {
  const auto& attributes = call.as<SeluAttributes>();
  map_each(call, Floats{}, SeluFunctor{attributes.alpha, attributes.gamma});
}

}  // namespace slipway::cuda
