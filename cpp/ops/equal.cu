// Equal on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct EqualFunctor {
  template <typename T>
  __device__ bool operator()(T a, T b) const {
    return a == b;
  }
};

struct EqualBoolFunctor {
  __device__ bool operator()(uint8_t a, uint8_t b) const { return (a != 0) == (b != 0); }
};

}  // namespace

void equal(const OpCall& call) noexcept {
  if (call.inputs[0].dtype == DType::kBool) return map_logical(call, EqualBoolFunctor{});
  compare(call, Numbers{}, EqualFunctor{});
}

}  // namespace slipway::cuda
