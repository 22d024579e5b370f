// Abs on CUDA.
#include "ops/elementwise.cuh"

namespace slipway::cuda {

namespace {

struct AbsFunctor {
  template <typename T>
  __device__ T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>) {
      return std::abs(x);
    } else if constexpr (std::is_unsigned_v<T>) {
      return x;
    } else {
      return x < 0 ? wrap_subtract(T{0}, x) : x;
    }
  }
};

}  // namespace

void abs(const OpCall& call) noexcept { map_each(call, Numbers{}, AbsFunctor{}); }

}  // namespace slipway::cuda
