// IsInf on CUDA.
#include "ops/elementwise.cuh"
#include "ops/prepared.h"

namespace slipway::cuda {

namespace {

struct IsInfFunctor {
  bool negative;
  bool positive;

  template <typename T>
  __device__ bool operator()(T x) const {
    return (negative && x == kLeast<T>) || (positive && x == kMost<T>);
  }
};

}  // namespace

void is_inf(const OpCall& call) noexcept {
  const auto attributes = call.as<IsInfAttributes>();
  map_each<bool>(call, Floats{}, IsInfFunctor{attributes.negative, attributes.positive});
}

}  // namespace slipway::cuda
