// Elu on CUDA.
#include "ops/elementwise.cuh"
#include "ops/prepared.h"

namespace slipway::cuda {

namespace {

struct EluFunctor {
  float alpha;

  template <typename T>
  __device__ T operator()(T x) const {
    return x < 0 ? static_cast<T>(alpha) * std::expm1(x) : x;
  }
};

}  // namespace

void elu(const OpCall& call) noexcept { map_each(call, Floats{}, EluFunctor{call.as<EluAttributes>().alpha}); }

}  // namespace slipway::cuda
