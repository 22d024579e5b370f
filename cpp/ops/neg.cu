// Neg on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct NegFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>) return -x;
    return wrap_subtract(T{0}, x);
  }
};

}  // namespace

void neg(const OpCall& call) noexcept { map_each(call, SignedNumbers{}, NegFunctor{}); }

}  // namespace slipway::cuda
