// Sign on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct SignFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    if constexpr (std::is_unsigned_v<T>) {
      return x > 0;
    } else {
      return x != x ? x : static_cast<T>((x > 0) - (x < 0));
    }
  }
};

}  // namespace

void sign(const OpCall& call) noexcept { map_each(call, Numbers{}, SignFunctor{}); }

}  // namespace slipway::cuda
